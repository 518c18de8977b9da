import { MantineProvider } from "@mantine/core";
import { QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { hasCode, mayBeSentAgain } from "@/api/problem";
import { router } from "@/app/router";
import { forgetSession } from "@/shared/session";
import { cssVariables, theme } from "@/theme/theme";

const READ_AGAIN_MAX = 2;
const FRESH_MILLISECONDS = 5_000;

const queries: QueryClient = new QueryClient({
  queryCache: new QueryCache({
    // The session ended elsewhere: what this page has read for it must not stay on the screen.
    onError: (error) => {
      if (hasCode(error, "not_signed_in")) forgetSession(queries);
    },
  }),
  defaultOptions: {
    queries: {
      staleTime: FRESH_MILLISECONDS,
      // A definite refusal stays one; only a missing answer is asked for again.
      retry: (count, error) => count < READ_AGAIN_MAX && mayBeSentAgain(error),
    },
  },
});

/** The nonce that the server put into this page; styles made at run time need it. */
function styleNonce(): string {
  return document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? "";
}

export function App() {
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={cssVariables}
      forceColorScheme="light"
      getStyleNonce={styleNonce}
    >
      <QueryClientProvider client={queries}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  );
}
