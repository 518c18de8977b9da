import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

/** The gateway that a development server hands its calls to; the built site is served by the gateway itself. */
const GATEWAY_URL = process.env.ALPMERA_GATEWAY_URL ?? "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [react()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  // The gateway replaces this mark with the nonce of each answer.
  html: { cspNonce: "__CSP_NONCE__" },
  server: { proxy: { "/v1": GATEWAY_URL } },
  build: {
    // Everything is a file of its own: an inlined data address would need a wider content policy.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 700,
  },
  test: {
    environment: "jsdom",
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["src/testing/setup.ts"],
    // No test is about time; beside other work a long one takes a multiple of what it takes alone.
    testTimeout: 60_000,
  },
});
