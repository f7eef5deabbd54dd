"""What every printed document needs: typesetting, codes, bars, merging. Pure, like its parent."""
