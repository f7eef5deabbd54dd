import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render } from "@testing-library/react";
import { NuqsTestingAdapter, type OnUrlUpdateFunction } from "nuqs/adapters/testing";
import type { ReactNode } from "react";
import { LanguageProvider } from "../i18n/Language";

interface Options {
  language?: "en" | "de";
  search?: string;
  onUrlUpdate?: OnUrlUpdateFunction;
}

/** Renders inside everything the screen stands in, without transitions. */
export function renderInApp(ui: ReactNode, { language = "en", search, onUrlUpdate }: Options = {}) {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  return render(
    <MantineProvider env="test">
      <LanguageProvider initial={language}>
        <QueryClientProvider client={client}>
          <NuqsTestingAdapter
            hasMemory
            {...(search ? { searchParams: search } : {})}
            {...(onUrlUpdate ? { onUrlUpdate } : {})}
          >
            {ui}
          </NuqsTestingAdapter>
        </QueryClientProvider>
      </LanguageProvider>
    </MantineProvider>,
  );
}
