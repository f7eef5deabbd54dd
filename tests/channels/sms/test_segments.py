import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackcenter.channels.sms.segments import GSM7_BASIC, GSM7_EXTENSION, measure


def test_the_alphabet_is_complete() -> None:
    assert len(GSM7_BASIC) == 127, "128 places, one of them the escape"
    assert not GSM7_BASIC & GSM7_EXTENSION


@pytest.mark.parametrize(
    ("text", "encoding", "segments"),
    [
        ("", "GSM-7", 1),
        ("a" * 160, "GSM-7", 1),
        ("a" * 161, "GSM-7", 2),
        ("a" * 306, "GSM-7", 2),
        ("a" * 307, "GSM-7", 3),
        ("äöüÄÖÜß@£", "GSM-7", 1),
        ("€" * 80, "GSM-7", 1),
        ("€" * 80 + "a", "GSM-7", 2),
        ("a" * 159 + "€", "GSM-7", 2),
        ("a" * 152 + "€" + "a" * 152, "GSM-7", 3),
        ("ł" * 70, "UCS-2", 1),
        ("ł" * 71, "UCS-2", 2),
        ("ł" * 134, "UCS-2", 2),
        ("ł" * 135, "UCS-2", 3),
        ("😀" * 35, "UCS-2", 1),
        ("😀" * 36, "UCS-2", 2),
        ("ł" * 66 + "😀" + "ł" * 66, "UCS-2", 3),
        ("a–b", "UCS-2", 1),
        ("ç", "UCS-2", 1),
        ("`", "UCS-2", 1),
    ],
)
def test_a_text_has_its_encoding_and_segments(text: str, encoding: str, segments: int) -> None:
    assert measure(text) == (encoding, segments)


@given(st.text(max_size=600))
def test_segments_are_never_fewer_than_the_room_allows(text: str) -> None:
    encoding, segments = measure(text)
    if encoding == "GSM-7":
        units, room = sum(2 if c in GSM7_EXTENSION else 1 for c in text), 153
    else:
        units, room = len(text.encode("utf-16-le", "surrogatepass")) // 2, 67
    assert segments == 1 or -(-units // room) <= segments <= -(-units // (room - 1))
