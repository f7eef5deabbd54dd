"""Wire shapes of a building's templates, their preview, and the estimate before sending."""

from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from trackcenter.communications.schemas import ChannelName, UserOut
from trackcenter.kit.wire import WireSchema


class SenderIn(WireSchema):
    """As whom a building writes; null or empty: as the installation."""

    name: str | None = Field(default=None, max_length=200)
    address: str | None = Field(
        default=None, max_length=500, description="lines parted by line breaks or commas"
    )
    reply_to: str | None = Field(default=None, max_length=320)
    phone: str | None = Field(default=None, max_length=40)
    payee: str | None = Field(default=None, max_length=70)


class TemplateIn(WireSchema):
    """The texts of one language; null or empty: the built-in one."""

    subject: str | None = None
    greeting: str | None = None
    intro: str | None = None
    closing: str | None = None
    sms_text: str | None = None


class TemplatesIn(WireSchema):
    """What is given replaces what there was: a language that is not named loses its own texts."""

    sender: SenderIn | None = None
    templates: dict[str, TemplateIn] | None = Field(default=None, description="by language")


class SenderOut(WireSchema):
    name: str | None
    address: str | None
    reply_to: str | None
    phone: str | None
    payee: str | None


class TemplateOut(WireSchema):
    subject: str | None
    greeting: str | None
    intro: str | None
    closing: str | None
    sms_text: str | None


class LogoOut(WireSchema):
    sha256: str
    content_type: str
    size: int
    url: str = Field(description="signed; good for an <img>")


class MessageTexts(WireSchema):
    subject: str
    greeting: str
    intro: str
    closing: str


class BuiltInTexts(WireSchema):
    """The templates that apply where a building has none of its own."""

    email: MessageTexts
    letter: MessageTexts
    sms_text: str


class VariableOut(WireSchema):
    name: str
    example: str
    always: bool = Field(description="whether every bill has it; others need {% if … %}")
    is_list: bool


class LanguageOut(WireSchema):
    texts: TemplateOut
    built_in: BuiltInTexts
    variables: list[VariableOut]


class TemplatesOut(WireSchema):
    building_id: UUID
    sender: SenderOut
    installation: SenderOut = Field(description="what applies where `sender` says nothing")
    logo: LogoOut | None
    languages: dict[str, LanguageOut]
    limits: dict[str, int] = Field(description="characters a template may have, by field")
    updated_at: datetime | None
    updated_by: UserOut | None


class PreviewIn(TemplatesIn):
    """Which bill to show: a communication, a unit's of a year, or any of a building.

    `sender` and `templates` are tried out without being saved, as `PUT …/templates` takes them.
    """

    communication_id: UUID | None = None
    unit_id: UUID | None = None
    building_id: UUID | None = None
    year: int | None = Field(default=None, ge=1900, le=9999)
    channel: ChannelName | None = Field(default=None, description="else the bill's own")
    language: str | None = Field(default=None, description="else the recipient's")

    @model_validator(mode="after")
    def _one_bill(self) -> Self:
        named = (self.communication_id, self.unit_id, self.building_id)
        if sum(one is not None for one in named) != 1:
            raise ValueError("name one of communicationId, unitId (with year) and buildingId")
        if self.unit_id is not None and self.year is None:
            raise ValueError("unitId needs a year")
        if self.communication_id is not None and self.year is not None:
            raise ValueError("a communication has its year")
        return self


class CostHint(WireSchema):
    amount: str = Field(description="decimal; segments times SMS_SEGMENT_PRICE")
    currency: str


class SmsPreview(WireSchema):
    text: str
    encoding: Literal["GSM-7", "UCS-2"]
    characters: int
    segments: int
    cost_hint: CostHint | None


class PreviewOut(WireSchema):
    """A message as it would be sent now. What its channel does not have is null."""

    building_id: UUID
    unit_id: UUID | None = Field(description="null: the building has no bill; a sample is shown")
    unit_number: str
    communication_id: UUID | None
    year: int
    channel: ChannelName
    language: str
    recipient_name: str
    recipient: str = Field(description="e-mail address, phone, or the lines of the address")
    subject: str | None
    text: str | None
    html_url: str | None
    sms: SmsPreview | None
    pdf_url: str | None = Field(
        description="the statement or letter; a registered one without its postal number"
    )
    document_code: str | None
    pages: int | None


class ChannelEstimate(WireSchema):
    pending: int
    sms: "SmsEstimate | None" = Field(description="for SMS; null where nothing is pending")


class SmsEstimate(WireSchema):
    segments: int
    exact: bool = Field(description="false: reckoned up from as many messages as `counted`")
    counted: int
    gsm7: int = Field(description="of `counted`")
    ucs2: int = Field(description="of `counted`; these hold 70 characters a segment, not 160")
    failing: int = Field(description="of `counted`: cannot be rendered, and will fail")
    most_segments: int = Field(description="of one message")
    cost_hint: CostHint | None


class EstimateOut(WireSchema):
    batch_id: UUID
    channels: dict[str, ChannelEstimate]
