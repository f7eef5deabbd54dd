"""What the sign-in pages say, in the languages of the screen."""

from typing import Final

from trackcenter.access import people_words

_ENGLISH: Final = {
    "tagline": "The delivery history of every bill",
    "sign_in": "Sign in",
    "login": "User name or e-mail",
    "password": "Password",
    "not_signed_in": "You are not signed in",
    "wrong": "The user name and the password do not match.",
    "locked": "Too many wrong passwords: this account is locked for up to 15 minutes, "
    "for the right password too. Wait, or ask an administrator.",
    "or": "or",
    "with_openid": "Sign in with your organisation",
    "openid_away_heading": "Your organisation's sign-in does not answer",
    "openid_away_text": "Try again in a minute, or sign in with a password of Track Center.",
    "openid_failed_heading": "You were not signed in",
    "openid_failed_text": "Your organisation's sign-in ended without a result: it was cancelled, "
    "took too long, or was refused. You can try again.",
    "required": "Please fill this in.",
    "no_account": "No account, or password forgotten? An administrator can help.",
    "sign_out": "Sign out",
    "sign_out_question": "Do you want to sign out of Track Center?",
    "stay": "Stay signed in",
    "back": "To the sign-in page",
    "home": "To Track Center",
    "inactive_heading": "Account switched off",
    "inactive_text": "This account may not sign in at present. An administrator can change that.",
    "stale_heading": "This page is out of date",
    "stale_text": "It was opened before the last sign-in. Nothing has been changed; "
    "please open it again.",
    "busy_heading": "One moment, please",
    "busy_text": "There have been too many requests from your address. Try again in a minute.",
    "unbuilt_heading": "The screen is not built",
    "unbuilt_text": "The server runs, but its web pages are missing from this installation. "
    "Start it with ./track, which builds them.",
    "broken_heading": "Something went wrong",
    "broken_text": "This is our fault, not yours. Please try again; "
    "the server's log has the reason.",
    "missing_heading": "There is no such page",
    "missing_text": "The address may be mistyped, or what it showed belongs to somebody else.",
}

_GERMAN: Final = {
    "tagline": "Die Zustellgeschichte jeder Abrechnung",
    "sign_in": "Anmelden",
    "login": "Benutzername oder E-Mail",
    "password": "Passwort",
    "not_signed_in": "Sie sind nicht angemeldet",
    "wrong": "Benutzername und Passwort passen nicht zusammen.",
    "locked": "Zu viele falsche Passwörter: Dieses Konto ist bis zu 15 Minuten gesperrt, "
    "auch für das richtige Passwort. Bitte warten oder die Verwaltung fragen.",
    "or": "oder",
    "with_openid": "Mit der Organisation anmelden",
    "openid_away_heading": "Die Anmeldung Ihrer Organisation antwortet nicht",
    "openid_away_text": "Bitte in einer Minute noch einmal, oder mit einem Passwort "
    "von Track Center.",
    "openid_failed_heading": "Sie wurden nicht angemeldet",
    "openid_failed_text": "Die Anmeldung Ihrer Organisation endete ohne Ergebnis: Sie wurde "
    "abgebrochen, dauerte zu lange oder wurde abgelehnt. Sie können es noch einmal versuchen.",
    "required": "Bitte ausfüllen.",
    "no_account": "Kein Konto oder Passwort vergessen? Die Verwaltung hilft weiter.",
    "sign_out": "Abmelden",
    "sign_out_question": "Möchten Sie sich von Track Center abmelden?",
    "stay": "Angemeldet bleiben",
    "back": "Zur Anmeldung",
    "home": "Zu Track Center",
    "inactive_heading": "Konto abgeschaltet",
    "inactive_text": "Dieses Konto darf sich zurzeit nicht anmelden. "
    "Die Verwaltung kann das ändern.",
    "stale_heading": "Diese Seite ist veraltet",
    "stale_text": "Sie wurde vor der letzten Anmeldung geöffnet. Es wurde nichts geändert; "
    "bitte öffnen Sie sie neu.",
    "busy_heading": "Einen Moment, bitte",
    "busy_text": "Von Ihrer Adresse kamen zu viele Anfragen. Bitte in einer Minute noch einmal.",
    "unbuilt_heading": "Die Oberfläche ist nicht gebaut",
    "unbuilt_text": "Der Server läuft, aber dieser Installation fehlen die Webseiten. "
    "Starten Sie sie mit ./track, das baut sie.",
    "broken_heading": "Etwas ist schiefgegangen",
    "broken_text": "Das liegt an uns, nicht an Ihnen. Bitte noch einmal versuchen; "
    "der Grund steht im Protokoll des Servers.",
    "missing_heading": "Diese Seite gibt es nicht",
    "missing_text": "Vielleicht ist die Adresse vertippt, oder der Inhalt gehört jemand anderem.",
}

WORDS: Final = {
    "en": {**_ENGLISH, **people_words.ENGLISH},
    "de": {**_GERMAN, **people_words.GERMAN},
}


def words_in(language: str | None) -> dict[str, str]:
    """The words in a language (`de`, `de-at`, …); English for any we do not have."""
    return WORDS.get((language or "en").partition("-")[0], WORDS["en"])
