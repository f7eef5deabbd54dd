"""Writes the sample billing file that `./track demo` imports; the same bytes on every run.

    python tools/make_sample.py [FILE]

Four buildings in four cities, three years, some 250 units. Nobody in it exists: mail domains are
those reserved by RFC 2606, phone numbers come from ranges set aside for fiction (Bundesnetzagentur,
Ofcom, ARCEP), IBANs are the examples of the national standards. Some recipients are named so that
the sandbox bounces, delays, opens or swallows their message.
"""

import argparse
import csv
import io
import random
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

SAMPLE = Path(__file__).parent.parent / "src/trackcenter/imports/sample/billing.csv"
YEARS = (2023, 2024, 2025)
SEED = 2025

T = TypeVar("T")


@dataclass(frozen=True)
class House:
    """A building of the sample. `costs` are label, yearly amount of an average unit, and spread."""

    code: str
    name: str
    street: str
    postcode: str
    city: str
    country: str
    time_zone: str
    currency: str
    payee: str
    iban: str
    retention_attachments: str
    units: tuple[str, ...]
    languages: tuple[tuple[str, float], ...]
    costs: tuple[tuple[str, int, float], ...]


HOUSES = (
    House(
        code="BER-LINDENHOF",
        name="Lindenhof",
        street="Am Lindenhof 4",
        postcode="10319",
        city="Berlin",
        country="DE",
        time_zone="Europe/Berlin",
        currency="EUR",
        payee="Lindenhof Hausverwaltung GmbH",
        iban="DE89370400440532013000",
        retention_attachments="P10Y",
        units=tuple(f"{house}-{number:02}" for house in "ABC" for number in range(1, 29)),
        languages=(("de", 0.62), ("tr", 0.12), ("pl", 0.09), ("en", 0.1), ("vi", 0.07)),
        costs=(
            ("Heizung", 840, 0.35),
            ("Wasser und Abwasser", 310, 0.3),
            ("Müllabfuhr", 128, 0.1),
            ("Hausmeister", 190, 0.05),
            ("Grundsteuer", 215, 0.15),
        ),
    ),
    House(
        code="WIE-AUGARTEN",
        name="Wohnpark Augarten",
        street="Augartenzeile 27",
        postcode="1020",
        city="Wien",
        country="AT",
        time_zone="Europe/Vienna",
        currency="EUR",
        payee="Wohnpark Augarten Verwaltung",
        iban="AT611904300234573201",
        retention_attachments="P7Y",
        units=tuple(f"{stair}/{door}" for stair in range(1, 4) for door in range(1, 23)),
        languages=(("de", 0.7), ("en", 0.12), ("pl", 0.06), ("tr", 0.06), ("it", 0.06)),
        costs=(
            ("Heizung", 760, 0.3),
            ("Wasser und Abwasser", 285, 0.25),
            ("Müllabfuhr", 144, 0.1),
            ("Lift", 165, 0.05),
        ),
    ),
    House(
        code="ZRH-SIHLBLICK",
        name="Sihlblick",
        street="Sihlblickweg 9",
        postcode="8045",
        city="Zürich",
        country="CH",
        time_zone="Europe/Zurich",
        currency="CHF",
        payee="Sihlblick Immobilien AG",
        iban="CH9300762011623852957",
        retention_attachments="P10Y",
        units=tuple(f"{floor}.{door:02}" for floor in range(8) for door in range(1, 7)),
        languages=(("de", 0.52), ("fr", 0.22), ("it", 0.12), ("en", 0.14)),
        costs=(
            ("Heizung", 1120, 0.3),
            ("Warmwasser", 390, 0.3),
            ("Hauswartung", 420, 0.05),
            ("Kehricht", 135, 0.1),
        ),
    ),
    House(
        code="LDN-WHARF",
        name="Saltmaker's Wharf",
        street="1 Saltmaker's Wharf",
        postcode="SE16 4AB",
        city="London",
        country="GB",
        time_zone="Europe/London",
        currency="GBP",
        payee="Saltmaker's Wharf Residents Ltd",
        iban="GB29NWBK60161331926819",
        retention_attachments="P6Y",
        units=tuple(f"Flat {number}" for number in range(1, 55)),
        languages=(("en", 0.78), ("pl", 0.08), ("fr", 0.07), ("it", 0.07)),
        costs=(
            ("Service charge", 1650, 0.1),
            ("Heating", 720, 0.4),
            ("Water", 410, 0.25),
            ("Insurance", 265, 0.05),
            ("Reserve fund", 300, 0.0),
        ),
    ),
)

GIVEN = {
    "de": "Anna Jonas Katharina Matthias Ursula Jürgen Sabine Florian Heike Sebastian Greta Björn",
    "en": "Oliver Amelia Harriet George Niamh Callum Priya Theo Imogen Declan Zara Rupert",
    "fr": "Chloé Théo Élise Benoît Inès François Maëlle Jérôme Océane Loïc",
    "it": "Giulia Lorenzo Chiara Niccolò Francesca Matteo Ilaria Davide",
    "pl": "Agnieszka Łukasz Małgorzata Paweł Zofia Michał Kinga Wojciech",
    "tr": "Zeynep Emre Ayşe Çağlar Elif Mehmet Gülşen Ömer",
    "vi": "Hoa Minh Lan Tuấn Hương Đức Mai Quang",
}
FAMILY = {
    "de": "Keller Schröder Weiß Brandt Möller Vogel Lindner Großmann Seidel Hübner Krüger Pohl",
    "en": "Ashworth Okafor Bennett Sharma Whitfield O'Connell Hughes Mensah Pemberton Nolan",
    "fr": "Lefèvre Dubois Moreau Girard Rousseau D'Amboise Béranger Fontaine",
    "it": "Bianchi Ferraro D'Angelo Moretti Ricci Colombo Galli Fontana",
    "pl": "Wiśniewska Kowalczyk Zieliński Dąbrowska Wójcik Szymański Woźniak",
    "tr": "Yılmaz Öztürk Şahin Kaya Demir Çelik Aydın Güneş",
    "vi": "Nguyễn Trần Phạm Lê Võ Bùi Đặng",
}
MAIL_DOMAINS = ("example.com", "example.net", "example.org", "post.example", "mail.example")
# What the sandbox does with a recipient is told by how the local part begins.
BEHAVIOURS = (
    ("open.", 0.46),
    ("bounce.", 0.025),
    ("delay.", 0.02),
    ("silent.", 0.02),
    ("bounce-after-delivery.", 0.015),
    ("reject.", 0.015),
    ("", 0.445),
)
CHANNELS = (
    ("EMAIL", 0.5),
    ("EMAIL+SMS", 0.18),
    ("SMS", 0.07),
    ("LETTER", 0.12),
    ("LETTER_WITH_RECEIPT", 0.04),
    ("EMAIL+LETTER", 0.06),
    ("EMAIL+SMS+LETTER_WITH_RECEIPT", 0.03),
)
# Owners who let their flat and live elsewhere get their letters there.
ELSEWHERE = (
    ("Rynek Dębowy 8", "", "30-001", "Kraków", "PL"),
    ("12 Harbour Row", "Apt 3", "D04 X2Y3", "Dublin", "IE"),
    ("Rue des Tilleuls 31", "", "69003", "Lyon", "FR"),
    ("Gartenstraße 77", "Hinterhaus", "01067", "Dresden", "DE"),
)
COLUMNS = (
    *("building", "building_name", "building_address", "time_zone", "year", "unit", "recipient"),
    *("email", "phone", "street", "street2", "postcode", "city", "country", "language", "channels"),
    *("currency", "total", "prepaid", "balance", "due_date", "iban", "payee"),
    *("retention", "retention_attachments"),
)


class Chance:
    """Draws that stay the same in every Python: of `random`, only `random()` promises that."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 a sample, not a secret

    def below(self, limit: float) -> float:
        return self._random.random() * limit

    def happens(self, probability: float) -> bool:
        return self._random.random() < probability

    def one_of(self, choices: Sequence[T]) -> T:
        return choices[int(self.below(len(choices)))]

    def weighted(self, choices: Sequence[tuple[T, float]]) -> T:
        rest = self.below(sum(weight for _, weight in choices))
        for choice, weight in choices:
            rest -= weight
            if rest < 0:
                return choice
        return choices[-1][0]


@dataclass(frozen=True)
class Tenant:
    """Somebody a bill goes to, with the wishes and addresses the file states every year."""

    name: str
    language: str
    channels: str
    email: str
    phone: str
    address: tuple[str, str, str, str, str]


class PhoneBook:
    """Numbers nobody has, each given out once, as people of the country write them."""

    def __init__(self) -> None:
        self._german = iter(range(100))
        # The first two of each range are the sandbox's: 0001 fails, 0002 never reports.
        self._british = iter(range(1, 1000))
        self._french = iter(range(1, 10000))

    def next_for(self, country: str) -> str:
        if country == "GB":
            return f"07700 900{next(self._british):03}"
        german = next(self._german, None) if country in {"DE", "AT"} else None
        if german is not None:
            prefix = "0" if country == "DE" else "+49 "
            return f"{prefix}176 040690{german:02}"
        return f"+33 6 39 98 {next(self._french):04}"


def ascii_form(name: str) -> str:
    """`Łukasz O'Connell` → `lukasz.oconnell`."""
    spelled = name.casefold().translate(str.maketrans("łıđ", "lid", "'"))
    plain = unicodedata.normalize("NFKD", spelled).encode("ascii", "ignore").decode()
    return plain.replace(" ", ".")


def new_tenant(chance: Chance, house: House, unit: str, phones: PhoneBook) -> Tenant:
    language = chance.weighted(house.languages)
    name = f"{chance.one_of(GIVEN[language].split())} {chance.one_of(FAMILY[language].split())}"
    channels = chance.weighted(CHANNELS)
    words = channels.split("+")
    email = ""
    if "EMAIL" in words or chance.happens(0.3):
        behaviour = chance.weighted(BEHAVIOURS)
        number = "".join(character for character in unit if character.isalnum()).lower()
        domain = chance.one_of(MAIL_DOMAINS)
        email = f"{behaviour}{ascii_form(name)}.{number}@{domain}"
    phone = phones.next_for(house.country) if "SMS" in words or chance.happens(0.1) else ""
    address = (house.street, unit, house.postcode, house.city, house.country)
    # A phone without a country code is read in the row's country, so these keep their flat's.
    if chance.happens(0.06) and not phone.startswith("0"):
        address = chance.one_of(ELSEWHERE)
    return Tenant(name, language, channels, email, phone, address)


def amounts(chance: Chance, house: House, year: int) -> dict[str, str]:
    """Costs with their sum, what was prepaid in twelve even parts, and what is left."""
    dearer = 1 + 0.04 * (year - YEARS[0])
    costs = {
        label: Decimal(round(yearly * dearer * (1 + chance.below(2 * spread) - spread) * 100)) / 100
        for label, yearly, spread in house.costs
    }
    total = sum(costs.values(), Decimal(0))
    prepaid = Decimal(12 * round(float(total) * (0.86 + chance.below(0.26)) / 12 / 5) * 5)
    return {
        **{f"cost: {label}": f"{amount:.2f}" for label, amount in costs.items()},
        "total": f"{total:.2f}",
        "prepaid": f"{prepaid:.2f}",
        "balance": f"{total - prepaid:.2f}",
    }


def sample_rows() -> list[dict[str, str]]:
    """The rows of the sample, building by building, oldest year first."""
    chance = Chance(SEED)
    phones = PhoneBook()
    rows: list[dict[str, str]] = []
    for house in HOUSES:
        tenants = {unit: new_tenant(chance, house, unit, phones) for unit in house.units}
        for year in YEARS:
            for unit in house.units:
                if year != YEARS[0] and chance.happens(0.08):  # somebody moved
                    tenants[unit] = new_tenant(chance, house, unit, phones)
                tenant = tenants[unit]
                street, street2, postcode, city, country = tenant.address
                rows.append(
                    {
                        "building": house.code,
                        "building_name": house.name,
                        "building_address": f"{house.street}, {house.postcode} {house.city}",
                        "time_zone": house.time_zone,
                        "year": str(year),
                        "unit": unit,
                        "recipient": tenant.name,
                        "email": tenant.email,
                        "phone": tenant.phone,
                        "street": street,
                        "street2": street2,
                        "postcode": postcode,
                        "city": city,
                        "country": country,
                        "language": tenant.language,
                        "channels": tenant.channels,
                        "currency": house.currency,
                        "due_date": f"{year + 1}-06-30",
                        "iban": house.iban,
                        "payee": house.payee,
                        "retention": "P10Y",
                        "retention_attachments": house.retention_attachments,
                        **amounts(chance, house, year),
                    }
                )
    return rows


def sample_csv() -> bytes:
    """The sample as CSV in UTF-8, lines ended by LF."""
    labels = dict.fromkeys(f"cost: {label}" for house in HOUSES for label, _, _ in house.costs)
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, [*COLUMNS, *labels], restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(sample_rows())
    return text.getvalue().encode()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("file", nargs="?", type=Path, default=SAMPLE)
    file: Path = parser.parse_args().file
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(sample_csv())
    print(f"{file}: {len(sample_rows())} rows")


if __name__ == "__main__":
    main()
