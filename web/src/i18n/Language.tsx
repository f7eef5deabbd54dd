import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from "react";
import { de } from "./de";
import { type Dictionary, en } from "./en";

export type LanguageCode = "en" | "de";

const dictionaries: Record<LanguageCode, Dictionary> = { en, de };
const storageKey = "trackcenter.language";

/** The language chosen before, else the browser's, else English. */
export function preferredLanguage(): LanguageCode {
  const stored = window.localStorage.getItem(storageKey);
  if (stored === "en" || stored === "de") return stored;
  return navigator.language.toLowerCase().startsWith("de") ? "de" : "en";
}

interface Language {
  code: LanguageCode;
  text: Dictionary;
  choose: (code: LanguageCode) => void;
}

const LanguageContext = createContext<Language>({ code: "en", text: en, choose: () => undefined });

export function LanguageProvider({
  children,
  initial,
}: {
  children: ReactNode;
  initial?: LanguageCode;
}) {
  const [code, setCode] = useState<LanguageCode>(initial ?? preferredLanguage);

  useEffect(() => {
    document.documentElement.lang = code;
  }, [code]);

  const value = useMemo<Language>(
    () => ({
      code,
      text: dictionaries[code],
      choose: (next) => {
        window.localStorage.setItem(storageKey, next);
        setCode(next);
      },
    }),
    [code],
  );
  return <LanguageContext.Provider value={value}>{children}</LanguageContext.Provider>;
}

/** The interface texts in the chosen language. */
export function useText(): Dictionary {
  return useContext(LanguageContext).text;
}

export function useLanguage(): Language {
  return useContext(LanguageContext);
}
