from trackcenter.cli.commands import main

main()
