"""A corrected address, checked before anything is sent to it."""

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from trackcenter.communications.schemas import ContactIn
from trackcenter.communications.services import Contact
from trackcenter.kit.errors import InputError, Problem, Sentence


def checked_contact(contact: ContactIn | None) -> Contact | None:
    """The correction with its e-mail address normalised and its phone in E.164.

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
    if problems:
        raise InputError(problems)
    address = contact.address.model_dump(exclude_none=True) if contact.address else None
    return Contact(email=email, phone=phone, address=address)
