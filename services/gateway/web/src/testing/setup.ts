import "@/locales/i18n";
import { cleanup, configure } from "@testing-library/react";
import { afterAll, afterEach, beforeAll, beforeEach, vi } from "vitest";
import { server } from "@/testing/server";

// How long a test waits for what it expects to see: no test is about time, and a machine may be busy.
configure({ asyncUtilTimeout: 20_000 });

// What the pages' components ask a browser for and jsdom does not have.
class NoObserver {
  observe() {}
  unobserve() {}
  disconnect() {}
}

vi.stubGlobal("ResizeObserver", NoObserver);
vi.stubGlobal("matchMedia", (query: string) => ({
  matches: false,
  media: query,
  addEventListener: () => {},
  removeEventListener: () => {},
}));
window.scrollTo = () => {};
// Fields that grow with their text look again when a font has come.
Object.defineProperty(document, "fonts", { value: new EventTarget() });

beforeAll(() => server.listen({ onUnhandledRequest: "error" }));
beforeEach(() => sessionStorage.clear());
afterEach(() => {
  cleanup();
  server.resetHandlers();
});
afterAll(() => server.close());
