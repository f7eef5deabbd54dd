import type { ProblemTexts } from "./problems.en";

const count = (n: string | number | undefined) => Number(n).toLocaleString("de");
const meant = (near: string | number | undefined) => (near ? ` War '${near}' gemeint?` : "");

/** Was der Server ablehnt, nach seinem Code; ohne einen Satz für jeden wird nichts gebaut. */
export const problems: ProblemTexts = {
  // Any form
  stringTooLong: ({ maxLength }) => `Höchstens ${count(maxLength)} Zeichen sind möglich.`,
  stringTooShort: () => "Das ist zu kurz.",
  stringPatternMismatch: () => "Das hat nicht die Form, die hier erwartet wird.",
  missing: () => "Hier fehlt etwas.",
  beforeYear: ({ year }) => `Das liegt vor dem Jahr ${year}.`,
  inFuture: () => "Das liegt in der Zukunft.",
  datetimeFromDateParsing: () => "Das ist kein gültiges Datum mit Uhrzeit.",
  // Files
  fileEmpty: () => "Die Datei ist leer.",
  tooManyFiles: ({ most }) => `Höchstens ${most} Dateien auf einmal.`,
  proofTooLarge: ({ most }) => `Die Datei darf höchstens ${most} MB haben.`,
  proofOfOtherKind: () => "Das ist keine PDF-, JPEG-, PNG-, HEIC- oder TIFF-Datei.",
  proofUnsafe: () => "Die Datei lässt sich nicht sicher öffnen.",
  proofUnreadable: () =>
    "Die Datei lässt sich nicht öffnen: Sie ist beschädigt, leer, viel zu groß oder durch ein Passwort geschützt.",
  virusFound: ({ name }) =>
    `Der Virenscanner hat ${name} in der Datei gefunden. Sie wurde nicht angenommen.`,
  scannerAway: () =>
    "Der Virenscanner kann die Datei zurzeit nicht prüfen, deshalb wurde sie nicht angenommen. Bitte später noch einmal versuchen.",
  storageAway: () => "Der Dateispeicher antwortet nicht. Bitte später noch einmal versuchen.",
  fileDamaged: () =>
    "Die gespeicherte Datei ist beschädigt. Die Verwaltung kann sie aus einer Sicherung wiederherstellen.",
  // The server
  bodyTooLarge: () => "Das ist größer, als der Server annimmt.",
  databaseAway: () => "Die Datenbank antwortet nicht. Bitte in einer Minute noch einmal versuchen.",
  busAway: () => "Der Service Bus antwortet nicht. Bitte in einer Minute noch einmal versuchen.",
  ourFault: () =>
    "Das liegt an uns. Bitte noch einmal versuchen; der Grund steht im Protokoll des Servers.",
  // Sending again
  newerAttempt: ({ attempt }) =>
    `Inzwischen hat Versuch ${attempt} begonnen. Bitte erst ansehen, dann erneut senden.`,
  notYet: () => "Sie wurde noch nie gesendet. Bitte erst den Versand des Jahres starten.",
  inQueue: () =>
    "Sie wartet schon auf den Versand. Erneut senden geht, sobald dieser Versuch beendet ist.",
  cancelled: () => "Sie wurde durch einen späteren Import der Abrechnungsdatei storniert.",
  unreachable: () => "Für diesen Kanal gibt es keine Adresse.",
  channelNeedsContact: () => "Dieser Kanal braucht eine Adresse, und es gibt keine.",
  emailInvalid: () => "Das ist keine E-Mail-Adresse.",
  phoneNotInternational: () => "Bitte in internationaler Form schreiben, etwa +49 30 1234567.",
  nothingToResend: () => "Inzwischen gibt es nichts mehr erneut zu senden.",
  moreToResend: ({ count: n }) =>
    `Inzwischen wären es ${count(n)} Nachrichten. Bitte erst noch einmal ansehen.`,
  outcomeIsKnown: () => "Inzwischen ist bekannt, was daraus wurde.",
  lookedAfter: () => "Jemand kümmert sich schon darum.",
  // What people record
  sayHowYouKnow: () => "Bitte angeben, woher Sie das wissen.",
  emptyNote: () => "Eine leere Notiz sagt nichts.",
  returnedHasNoHandover: () => "Post, die zurückkam, wurde weder übergeben noch bezeugt.",
  recordSaysNothing: () =>
    "Ein Eintrag braucht einen Tag, einen Zeugen, eine Notiz oder eine Datei.",
  unitWithoutBill: () =>
    "Diese Einheit hat noch keine Abrechnung, für die eine Zustellung erfasst werden könnte.",
  beforeDispatch: () => "Das liegt vor dem Zeitpunkt, zu dem es abgeschickt wurde.",
  deliveryStays: () =>
    "Eine erfasste Zustellung lässt sich berichtigen, aber nicht zurücknehmen. Bitte stattdessen festhalten, dass die Post zurückkam.",
  holdStands: () => "Für diese Einheit gilt schon eine Löschsperre.",
  nothingSuggested: () => "Darüber hat schon jemand entschieden.",
  // Print runs
  nothingToPrint: () => "Es liegt kein Brief zum Drucken bereit.",
  dayNotCome: () => "Dieser Tag ist noch nicht gekommen.",
  printedLater: ({ day }) =>
    `Diese Briefe wurden später gedruckt, am ${String(day).split("-").reverse().join(".")}.`,
  postedOnOtherDay: ({ day }) =>
    `Diese Briefe sind schon als am ${String(day).split("-").reverse().join(".")} aufgegeben markiert.`,
  runNotReady: () => "Die Dateien dieses Drucklaufs sind noch nicht fertig.",
  runHasScan: () =>
    "Dieser Drucklauf hat schon seine abgestempelte Liste. Einen weiteren Nachweis bitte beim betreffenden Brief hinzufügen.",
  // Dead letters
  workerAtIt: () =>
    "Vielleicht ist noch jemand mit dieser Nachricht beschäftigt. Bitte in einer Minute noch einmal versuchen.",
  cannotBeWorked: () => "Diese Nachricht kann niemand bearbeiten. Sie lässt sich nur verwerfen.",
  sayWhyForgotten: () => "Bitte angeben, warum sie vergessen werden darf.",
  // Sender and logo
  lineBreakOrControl: () => "Darin steht ein Zeilenumbruch oder ein Steuerzeichen.",
  logoTooLarge: ({ most }) => `Das Logo ist größer als ${most} KB.`,
  logoTooManyPixels: () => "Das Logo hat zu viele Pixel.",
  noLogo: () => "Das Logo ist kein PNG-, JPEG- oder SVG-Bild.",
  logoHasDoctype: () => "Das SVG des Logos hat einen DOCTYPE. Bitte als einfaches SVG speichern.",
  logoUnreadable: () => "Das SVG des Logos lässt sich nicht lesen.",
  logoHasElement: ({ name }) => `Im SVG des Logos steht <${name}>. Bitte in Pfade umwandeln.`,
  logoHasAttribute: ({ name }) => `Im SVG des Logos steht ${name}. Bitte entfernen.`,
  logoRefersOutside: () => "Das SVG des Logos verweist auf etwas außerhalb.",
  logoWithoutSize: () => "Das SVG des Logos hat keine Größe.",
  // Billing file: the file as a whole
  fileTooLarge: ({ most }) => `Die Datei hat mehr als ${most} MiB. Bitte nach Gebäuden aufteilen.`,
  tooManyRows: ({ most }) =>
    `Die Datei hat mehr als ${count(most)} Zeilen. Bitte nach Gebäuden aufteilen.`,
  fileHasNoRows: () => "Die Datei hat keine Zeilen.",
  moreProblems: ({ count: n }) => `${count(n)} weitere Fehler sind nicht aufgeführt.`,
  oldExcel: () =>
    "Das ist eine alte Excel-Datei (.xls) oder eine geschützte Arbeitsmappe. Bitte als .xlsx ohne Passwort speichern.",
  fileUtf16: () => "Die Datei ist UTF-16. Bitte als „CSV UTF-8“ speichern.",
  fileNotUtf8: ({ byte, row }) =>
    `Die Datei ist nicht UTF-8 (Byte ${byte} nach Zeile ${row}). Bitte als „CSV UTF-8“ speichern.`,
  noWorkbook: () => "Das ist keine .xlsx-Arbeitsmappe. Bitte als .xlsx, .csv oder .json speichern.",
  workbookTooLarge: () => "Die Arbeitsmappe wäre entpackt unvernünftig groß.",
  workbookBroken: () => "Die Arbeitsmappe lässt sich nicht öffnen.",
  workbookEmpty: () => "Die Arbeitsmappe ist leer.",
  severalSheets: ({ names }) =>
    `In mehreren Blättern steht etwas (${names}). Bitte nur eines behalten.`,
  headingMissing: () => "Zeile 1 ist leer. Dorthin gehören die Überschriften.",
  fileNotJson: () => "Die Datei ist kein gültiges JSON.",
  jsonIsNoList: () => "Das JSON ist keine Liste von Objekten.",
  // Billing file: headings and rows
  columnMissing: () => "Diese Spalte wird gebraucht.",
  unknownColumn: ({ near }) => `Unbekannte Spalte.${meant(near)}`,
  columnTwice: () => "Diese Spalte kommt zweimal vor.",
  tooManyColumns: ({ most }) => `Die Überschrift hat mehr als ${most} Spalten.`,
  costWithoutLabel: () => "Eine Kostenspalte braucht eine Bezeichnung nach 'cost:'.",
  valueWithoutHeading: () => "Ein Wert unter einer leeren Überschrift.",
  rowNotCsv: () => "Diese Zeile lässt sich nicht als CSV lesen.",
  rowNotUtf8: () => "Dieses Objekt ist nicht UTF-8.",
  rowNotJson: () => "Kein gültiges JSON.",
  rowIsNoObject: () => "Das ist kein Objekt.",
  cellsUnlikeHeading: ({ cells, columns }) =>
    `Die Zeile hat ${cells} Zellen, die Überschrift hat ${columns}.`,
  tooManyValues: ({ most }) => `Mehr als ${most} Werte in einem Objekt.`,
  tooManyCosts: ({ most }) => `Mehr als ${most} Kosten in einer Zeile.`,
  costsInJson: () => 'In JSON schreibt man Kosten als "costs": [{"label": …, "amount": …}].',
  costsAreNoList: () => 'Kosten sind eine Liste aus {"label", "amount"}.',
  costIncomplete: () => 'Jeder Kostenpunkt hat genau ein "label" und ein "amount".',
  costLabelIsNoText: () => "Die Bezeichnung eines Kostenpunkts ist ein Text.",
  unitTwice: ({ unit, building, row, year }) =>
    `Einheit ${unit} von Gebäude ${building} steht für ${year} schon in Zeile ${row}.`,
  contradiction: ({ row, said, name }) =>
    `In Zeile ${row} steht '${said}' für ${name}. In einer Datei muss überall dasselbe stehen.`,
  alreadySent: ({ year, unit, building, channels }) =>
    `Die Abrechnung ${year} von Einheit ${unit} in Gebäude ${building} wurde schon gesendet (${channels}) und lässt sich nicht mehr ändern. Eine Adresse bitte beim erneuten Senden berichtigen.`,
  // Billing file: cells
  valueMissing: () => "Hier wird ein Wert gebraucht.",
  channelNeeds: ({ channel, column }) => `${channel} ist verlangt, aber ${column} fehlt.`,
  cellIsTrueOrFalse: () => "Eine Zelle mit WAHR oder FALSCH. Bitte als Text formatieren.",
  cellHasTime: () => "Ein Datum mit Uhrzeit. Bitte nur das Datum lassen.",
  cellIsTime: () => "Eine Uhrzeit. Bitte als Text formatieren.",
  cellOfOtherKind: () => "Mit dieser Art von Zelle kann eine Abrechnungsdatei nichts anfangen.",
  formulaUnresolved: () =>
    "Die Formel hat kein gespeichertes Ergebnis. Bitte die Datei in einer Tabellenkalkulation öffnen und speichern.",
  cellWithoutPlace: () => "Eine Zelle der Arbeitsmappe sagt nicht, wo sie steht.",
  formulaFailed: () => "Die Formel endet mit einem Fehler (#NV, #BEZUG!, …). Bitte berichtigen.",
  valueIsTrueOrFalse: () => "true und false sind keine Werte einer Abrechnungsdatei.",
  valueIsNested: () => "Hier wird ein Text oder eine Zahl erwartet, keine Liste und kein Objekt.",
  textBecameDate: () =>
    "Die Tabellenkalkulation hat daraus ein Datum gemacht. Bitte die Zelle als Text formatieren.",
  textTooLong: ({ length, most }) =>
    `${count(length)} Zeichen sind zu viele, höchstens ${most} sind möglich.`,
  lineBreak: () => "Ein Zeilenumbruch in einem Wert.",
  characterLost: () =>
    "Beim Speichern der Datei ging ein Zeichen verloren (�). Bitte als UTF-8 speichern.",
  controlCharacter: ({ name }) => `Ein unsichtbares Steuerzeichen (${name}).`,
  noYear: ({ text, first, last }) => `'${text}' ist kein Jahr zwischen ${first} und ${last}.`,
  unknownChannel: ({ text, near, known }) =>
    `Unbekannter Kanal '${text}'.${meant(near)} Es gibt ${known}; mehrere mit + verbinden.`,
  countryUk: () => "Der Code des Vereinigten Königreichs ist 'GB'.",
  noCountry: ({ text }) => `'${text}' ist kein Ländercode aus zwei Buchstaben (etwa DE).`,
  noLanguage: ({ text }) => `'${text}' ist kein Sprachcode (etwa de oder en).`,
  noCurrency: ({ text }) => `'${text}' ist kein Code einer gültigen Währung (etwa EUR).`,
  noDate: ({ text }) => `'${text}' ist kein Datum der Form 2026-03-31.`,
  noIban: ({ text }) => `'${text}' hat nicht die Form einer IBAN.`,
  ibanCheckDigits: ({ text }) => `Die Prüfziffern der IBAN '${text}' stimmen nicht.`,
  noTimeZone: ({ text, near }) =>
    `'${text}' ist keine Zeitzone (etwa Europe/Berlin).${meant(near)}`,
  noDuration: ({ text }) => `'${text}' ist keine Dauer (etwa P10Y für zehn Jahre).`,
  noEmail: ({ text }) => `'${text}' ist keine E-Mail-Adresse.`,
  phoneWithoutCountry: ({ text }) =>
    `'${text}' hat keine Landesvorwahl. Bitte mit + und Vorwahl schreiben oder das Land angeben.`,
  noPhone: ({ text, country }) =>
    `'${text}' ist keine Telefonnummer${country ? ` in ${country}` : ""}.`,
  phoneLostZero: ({ text }) =>
    `Die Telefonnummer ${text} steht als Zahl in der Zelle und hat ihre führende Null oder das + verloren. Bitte als Text formatieren.`,
  postcodeLostZero: ({ text, meant: whole }) =>
    `Die Postleitzahl ${text} hat ihre führende Null verloren. Bitte als Text formatieren (${whole}).`,
  thousandsSeparator: ({ text }) =>
    `'${text}' hat ein Tausendertrennzeichen. Bitte ohne schreiben.`,
  noAmount: ({ text }) => `'${text}' ist kein Betrag (etwa 1234.50).`,
  decimalComma: ({ text }) =>
    `'${text}' hat ein Dezimalkomma. Bitte einen Punkt schreiben (oder Spalten mit Semikolon trennen).`,
  perhapsThousands: ({ text }) =>
    `'${text}' hat vielleicht ein Tausendertrennzeichen, vielleicht drei Nachkommastellen. Bitte ${text}0 schreiben oder das Trennzeichen weglassen.`,
  perhapsThousandsRound: ({ text, most }) =>
    `'${text}' hat vielleicht ein Tausendertrennzeichen, vielleicht drei Nachkommastellen. Bitte auf ${most} Nachkommastellen runden oder das Trennzeichen weglassen.`,
  amountTooLarge: ({ text, most }) =>
    `'${text}' ist zu groß. Höchstens ${most} Stellen vor dem Komma sind möglich.`,
  tooManyDecimals: ({ text, most, currency }) =>
    `'${text}' hat zu viele Nachkommastellen: ${currency} hat ${most}. Bitte runden.`,
  totalIsNotSum: ({ total, sum }) =>
    `Die Summe (total) ist ${total}, aber die Kosten ergeben zusammen ${sum}.`,
  balanceIsNotRest: ({ balance, rest }) =>
    `Der Saldo (balance) ist ${balance}, aber total − prepaid ergibt ${rest}.`,
};
