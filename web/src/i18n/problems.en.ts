/** What a problem's words quote, by name; `kit.errors.Sentence` says which there are. */
export type Values = Readonly<Record<string, string | number>>;

const count = (n: string | number | undefined) => Number(n).toLocaleString("en");
const meant = (near: string | number | undefined) => (near ? ` Did you mean '${near}'?` : "");

/** What the server refuses, by its code; a test compares codes and values with the server's. */
const texts = {
  // Any form
  stringTooLong: ({ maxLength }) => `At most ${count(maxLength)} characters are possible.`,
  stringTooShort: () => "This is too short.",
  stringPatternMismatch: () => "This has not the form that is expected here.",
  missing: () => "This is missing.",
  beforeYear: ({ year }) => `This is before ${year}.`,
  inFuture: () => "This lies in the future.",
  datetimeFromDateParsing: () => "This is no valid date and time.",
  // Files
  fileEmpty: () => "The file is empty.",
  tooManyFiles: ({ most }) => `At most ${most} files at once.`,
  proofTooLarge: ({ most }) => `The file may have ${most} MB at most.`,
  proofOfOtherKind: () => "This is no PDF, JPEG, PNG, HEIC or TIFF.",
  proofUnsafe: () => "The file cannot be opened safely.",
  proofUnreadable: ({ reason }) => `The file cannot be opened: ${reason}.`,
  virusFound: ({ name }) => `The virus scanner found ${name} in the file. It was not taken.`,
  scannerAway: () =>
    "The virus scanner cannot check the file at present, so it was not taken. Try again later.",
  storageAway: () => "The file storage does not answer. Try again later.",
  fileDamaged: () => "The stored file is damaged. An administrator can restore it from a backup.",
  // The server
  bodyTooLarge: () => "This is larger than the server takes.",
  databaseAway: () => "The database does not answer. Try again in a minute.",
  busAway: () => "The Service Bus does not answer. Try again in a minute.",
  ourFault: () => "This is our fault. Please try again; the server's log has the reason.",
  // Sending again
  newerAttempt: ({ attempt }) =>
    `Attempt ${attempt} has begun since you looked. Look at it before you resend.`,
  notYet: () => "It was never sent. Send its batch first.",
  inQueue: () => "It is waiting to be sent already. Resend it once that attempt has ended.",
  cancelled: () => "It was cancelled by a later import of the billing file.",
  unreachable: () => "There is no address for this channel.",
  channelNeedsContact: () => "This channel needs an address, and there is none.",
  emailInvalid: () => "This is not an e-mail address.",
  phoneNotInternational: () => "Write it as an international number, such as +49 30 1234567.",
  nothingToResend: () => "By now there is nothing to resend.",
  moreToResend: ({ count: n }) => `By now it would be ${count(n)} messages. Look again first.`,
  outcomeIsKnown: () => "By now it is known what became of it.",
  lookedAfter: () => "Somebody is looking after it already.",
  // What people record
  sayHowYouKnow: () => "Say how you know.",
  emptyNote: () => "An empty note says nothing.",
  returnedHasNoHandover: () => "Mail that came back was neither handed over nor witnessed.",
  recordSaysNothing: () => "A record takes a day, a witness, a note or a file.",
  unitWithoutBill: () => "This unit has no bill yet that a delivery could be recorded for.",
  beforeDispatch: () => "This is before it was dispatched.",
  deliveryStays: () =>
    "A recorded delivery can be corrected but not taken back. Mark the mail as returned instead.",
  holdStands: () => "A legal hold stands over this unit already.",
  nothingSuggested: () => "Somebody has decided this already.",
  // Print runs
  nothingToPrint: () => "No letter is ready to be printed.",
  dayNotCome: () => "This day has not come yet.",
  printedLater: ({ day }) => `These letters were printed later, on ${day}.`,
  postedOnOtherDay: ({ day }) => `These letters were marked as posted on ${day} already.`,
  runNotReady: () => "The files of this print run are not ready yet.",
  runHasScan: () =>
    "This print run has its stamped slip already. Add another proof to the letter it is about.",
  // Dead letters
  workerAtIt: () => "A worker may still be at this message. Try again in a minute.",
  cannotBeWorked: () => "Nobody could work this message. It can only be discarded.",
  sayWhyForgotten: () => "Say why it may be forgotten.",
  // Sender and logo
  lineBreakOrControl: () => "It has a line break or a control character in it.",
  logoTooLarge: ({ most }) => `The logo is larger than ${most} KB.`,
  logoTooManyPixels: () => "The logo has too many pixels.",
  noLogo: () => "The logo is no PNG, JPEG or SVG picture.",
  logoHasDoctype: () => "The logo's SVG has a DOCTYPE. Save it as plain SVG.",
  logoUnreadable: () => "The logo's SVG cannot be read.",
  logoHasElement: ({ name }) => `The logo's SVG has <${name}> in it. Convert it to paths.`,
  logoHasAttribute: ({ name }) => `The logo's SVG has ${name} in it. Remove it.`,
  logoRefersOutside: () => "The logo's SVG refers to something outside itself.",
  logoWithoutSize: () => "The logo's SVG has no size.",
  // Billing file: the file as a whole
  fileTooLarge: ({ most }) => `The file has more than ${most} MiB. Split it by building.`,
  tooManyRows: ({ most }) => `The file has more than ${count(most)} rows. Split it by building.`,
  fileHasNoRows: () => "The file has no rows.",
  moreProblems: ({ count: n }) => `${count(n)} more problems are not shown.`,
  oldExcel: () =>
    "This is an old Excel file (.xls) or a protected workbook. Save it as .xlsx without a password.",
  fileUtf16: () => "The file is UTF-16. Save it as 'CSV UTF-8'.",
  fileNotUtf8: ({ byte, row }) =>
    `The file is not UTF-8 (byte ${byte} after row ${row}). Save it as 'CSV UTF-8'.`,
  noWorkbook: () => "This is no .xlsx workbook. Save it as .xlsx, .csv or .json.",
  workbookTooLarge: () => "The workbook unpacks to an unreasonable size.",
  workbookBroken: ({ reason }) => `The workbook cannot be opened: ${reason}`,
  workbookEmpty: () => "The workbook is empty.",
  severalSheets: ({ names }) => `Several sheets have something in them (${names}). Keep one.`,
  headingMissing: () => "Row 1 is empty. The heading belongs in row 1.",
  fileNotJson: ({ reason }) => `The file is not valid JSON: ${reason}`,
  jsonIsNoList: () => "The JSON is not a list of objects.",
  // Billing file: headings and rows
  columnMissing: () => "This column is required.",
  unknownColumn: ({ near }) => `Unknown column.${meant(near)}`,
  columnTwice: () => "This column stands there twice.",
  tooManyColumns: ({ most }) => `The heading has more than ${most} columns.`,
  costWithoutLabel: () => "A cost column needs a label after 'cost:'.",
  valueWithoutHeading: () => "A value under an empty heading.",
  rowNotCsv: ({ reason }) => `This row cannot be read as CSV: ${reason}`,
  rowNotUtf8: () => "This object is not UTF-8.",
  rowNotJson: ({ reason }) => `Not valid JSON: ${reason}`,
  rowIsNoObject: () => "This is not an object.",
  cellsUnlikeHeading: ({ cells, columns }) =>
    `The row has ${cells} cells, the heading has ${columns}.`,
  tooManyValues: ({ most }) => `More than ${most} values in one object.`,
  tooManyCosts: ({ most }) => `More than ${most} costs in one row.`,
  costsInJson: () => 'In JSON, costs are written as "costs": [{"label": …, "amount": …}].',
  costsAreNoList: () => 'Costs are a list of {"label", "amount"}.',
  costIncomplete: () => 'Each cost has exactly a "label" and an "amount".',
  costLabelIsNoText: () => "The label of a cost is a text.",
  unitTwice: ({ unit, building, row, year }) =>
    `Unit ${unit} of building ${building} stands already in row ${row} for ${year}.`,
  contradiction: ({ row, said, name }) =>
    `Row ${row} says '${said}' for ${name}. One file says one thing.`,
  alreadySent: ({ year, unit, building, channels }) =>
    `The ${year} bill of unit ${unit} in building ${building} was already sent (${channels}) and cannot be changed. Correct an address by resending.`,
  // Billing file: cells
  valueMissing: () => "A value is required here.",
  channelNeeds: ({ channel, column }) => `${channel} is asked for, but there is no ${column}.`,
  cellIsTrueOrFalse: () => "A true/false cell. Format it as text.",
  cellHasTime: () => "A date with a time of day. Keep the date alone.",
  cellIsTime: () => "A time of day. Format it as text.",
  cellOfOtherKind: () => "A billing file has no use for this kind of cell.",
  formulaUnresolved: () =>
    "The formula has no stored result. Open and save the file in a spreadsheet program.",
  cellWithoutPlace: () => "A cell of the workbook does not say where it stands.",
  formulaFailed: () => "The formula ends in an error (#N/A, #REF!, …). Correct it.",
  valueIsTrueOrFalse: () => "True and false are no values of a billing file.",
  valueIsNested: () => "A text or a number is expected here, not a list or an object.",
  textBecameDate: () => "The spreadsheet made a date of this. Format the cell as text.",
  textTooLong: ({ length, most }) =>
    `${count(length)} characters are too many, ${most} is the most.`,
  lineBreak: () => "A line break inside a value.",
  characterLost: () => "A character was lost when the file was saved (�). Save it as UTF-8.",
  controlCharacter: ({ name }) => `An invisible control character (${name}).`,
  noYear: ({ text, first, last }) => `'${text}' is no year between ${first} and ${last}.`,
  unknownChannel: ({ text, near, known }) =>
    `Unknown channel '${text}'.${meant(near)} There are ${known}; join several by +.`,
  countryUk: () => "The code of the United Kingdom is 'GB'.",
  noCountry: ({ text }) => `'${text}' is no two-letter country code (such as DE).`,
  noLanguage: ({ text }) => `'${text}' is no language code (such as en or de).`,
  noCurrency: ({ text }) => `'${text}' is no code of a currency in use (such as EUR).`,
  noDate: ({ text }) => `'${text}' is no date in the form 2026-03-31.`,
  noIban: ({ text }) => `'${text}' has not the form of an IBAN.`,
  ibanCheckDigits: ({ text }) => `The check digits of the IBAN '${text}' are wrong.`,
  noTimeZone: ({ text, near }) =>
    `'${text}' is no time zone (such as Europe/Berlin).${meant(near)}`,
  noDuration: ({ text }) => `'${text}' is no duration (such as P10Y for ten years).`,
  noEmail: ({ text, reason }) => `'${text}' is no e-mail address: ${reason}`,
  phoneWithoutCountry: ({ text }) =>
    `'${text}' has no country code. Write it with + and the code, or fill in the country.`,
  noPhone: ({ text, country }) => `'${text}' is no phone number${country ? ` in ${country}` : ""}.`,
  phoneLostZero: ({ text }) =>
    `The phone ${text} is a number cell and lost its leading zero or +. Format it as text.`,
  postcodeLostZero: ({ text, meant: whole }) =>
    `The postcode ${text} lost its leading zero. Format it as text (${whole}).`,
  thousandsSeparator: ({ text }) => `'${text}' has a thousands separator. Write it without.`,
  noAmount: ({ text }) => `'${text}' is no amount (such as 1234.50).`,
  decimalComma: ({ text }) =>
    `'${text}' has a decimal comma. Write a point (or use a semicolon file).`,
  perhapsThousands: ({ text }) =>
    `'${text}' may have a thousands separator or three decimals. Write ${text}0 or leave the separator out.`,
  perhapsThousandsRound: ({ text, most }) =>
    `'${text}' may have a thousands separator or three decimals. Round it to ${most} decimals or leave the separator out.`,
  amountTooLarge: ({ text, most }) =>
    `'${text}' is too large. ${most} digits before the point is the most.`,
  tooManyDecimals: ({ text, most, currency }) =>
    `'${text}' has more decimals than ${currency}, which has ${most}. Round it.`,
  totalIsNotSum: ({ total, sum }) => `The total is ${total}, but the costs add up to ${sum}.`,
  balanceIsNotRest: ({ balance, rest }) =>
    `The balance is ${balance}, but total − prepaid is ${rest}.`,
} satisfies Record<string, (values: Values) => string>;

/** One text for each code. */
export type ProblemTexts = Record<keyof typeof texts, (values: Values) => string>;

export const problems: ProblemTexts = texts;
