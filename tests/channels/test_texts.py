import tomllib
from importlib.resources import files

import trackcenter.channels.texts
from trackcenter.channels.texts import LANGUAGES


def test_every_language_says_the_same_things() -> None:
    folder = files(trackcenter.channels.texts)
    texts = {
        language: tomllib.loads((folder / f"{language}.toml").read_text(encoding="utf-8"))
        for language in LANGUAGES
    }
    said = {
        language: {(section, name) for section, names in of.items() for name in names}
        for language, of in texts.items()
    }
    assert said["de"] == said["en"]


def test_every_language_file_is_offered() -> None:
    folder = files(trackcenter.channels.texts)
    shipped = {file.name[:-5] for file in folder.iterdir() if file.name.endswith(".toml")}
    assert shipped == LANGUAGES
