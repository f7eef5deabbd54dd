"""A corrected address, checked before anything is sent to it."""

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from trackcenter.communications.schemas import AddressIn, ContactIn
from trackcenter.communications.services import Contact
from trackcenter.kit.errors import InputError, Problem, Sentence
from trackcenter.kit.postal import country_code, with_lost_zeros
from trackcenter.kit.texts import Refused, one_line


def checked_contact(contact: ContactIn | None) -> Contact | None:
    """The correction with its e-mail and postal address normalised and its phone in E.164.

    Phones need the international form (`+49 …`), since a correction names no country. `InputError`
    names the field.
    """
    if contact is None:
        return None
    problems: list[Problem] = []
    email, phone = contact.email, contact.phone
    if email:
        try:
            email = validate_email(email, check_deliverability=False).normalized
        except EmailNotValidError as error:
            sentence = Sentence(str(error), "emailInvalid")
            problems.append(Problem(("body", "contact", "email"), sentence))
    if phone:
        try:
            number = phonenumbers.parse(phone, None)
        except phonenumbers.NumberParseException:
            number = None
        if number is None or not phonenumbers.is_possible_number(number):
            words = "write it as an international number, such as +49 30 1234567"
            sentence = Sentence(words, "phoneNotInternational")
            problems.append(Problem(("body", "contact", "phone"), sentence))
        else:
            phone = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    address = _checked_address(contact.address, problems) if contact.address else None
    if problems:
        raise InputError(problems)
    return Contact(email=email, phone=phone, address=address)


def _checked_address(address: AddressIn, problems: list[Problem]) -> dict[str, str]:
    """The postal address, held to what a billing file's is held to (`imports.fields`)."""

    def read(part: str, written: str) -> str:
        text = one_line(written, 200)
        if part == "country":
            return country_code(text)
        if part == "postcode" and (padded := with_lost_zeros(text, address.country)):
            words = f"the postcode {text} lost its leading zero; write {padded}"
            raise Refused(Sentence(words, "postcodeLostZero", text=text, meant=padded))
        return text

    checked: dict[str, str] = {}
    for part, written in address.model_dump(exclude_none=True).items():
        try:
            checked[part] = read(part, written)
        except Refused as refusal:
            problems.append(Problem(("body", "contact", "address", part), refusal.sentence))
    return checked
