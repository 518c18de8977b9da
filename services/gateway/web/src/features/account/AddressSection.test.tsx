import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { HttpResponse, http } from "msw";
import { describe, expect, it } from "vitest";
import type { Address } from "@/api/types";
import { AddressSection } from "@/features/account/AddressSection";
import { KindSection } from "@/features/account/KindSection";
import { show } from "@/testing/render";
import { server } from "@/testing/server";

const HOME: Address = {
  id: "0f6a1d00-0000-4000-8000-0000000000e1",
  label: "Home",
  recipient: "Robin Vale",
  lines: ["2615 NW Market Street"],
  city: "Seattle",
  region: "WA",
  postal_code: "98107",
  country: "US",
  default: true,
  in_delivery_region: true,
  created_at: "2026-11-21T09:00:00Z",
  changed_at: "2026-11-21T09:00:00Z",
};

/** A server with one address; what was sent to it. */
function serve() {
  const sent: { version: string | null; body: Record<string, unknown> }[] = [];
  const one = "*/v1/me/addresses/:id";
  server.use(
    http.get("*/v1/me/addresses", () => HttpResponse.json({ data: [HOME], next_cursor: null })),
    http.get(one, () => HttpResponse.json(HOME, { headers: { ETag: '"seen"' } })),
    http.put(one, async ({ request }) => {
      const body = (await request.json()) as Record<string, unknown>;
      sent.push({ version: request.headers.get("If-Match"), body });
      return HttpResponse.json({ ...HOME, ...body });
    }),
  );
  return sent;
}

describe("addresses", () => {
  it("changes an address on the version that was read, and keeps it the proposed one", async () => {
    const sent = serve();
    const person = userEvent.setup();
    show(<AddressSection />);
    await person.click(await screen.findByRole("button", { name: "Change Home" }));
    const city = await screen.findByLabelText("City");
    await person.clear(city);
    await person.type(city, "Bellevue");
    await person.click(screen.getByRole("button", { name: "Keep the change" }));
    expect(await screen.findByRole("button", { name: "Change Home" })).toBeTruthy();
    expect(sent).toHaveLength(1);
    expect(sent[0]?.version).toBe('"seen"');
    expect(sent[0]?.body).toMatchObject({ city: "Bellevue", label: "Home", default: true });
  });

  it("asks for what is missing before anything is sent", async () => {
    serve();
    const person = userEvent.setup();
    show(<AddressSection />);
    await person.click(await screen.findByRole("button", { name: "Add an address" }));
    await person.click(screen.getByRole("button", { name: "Keep this address" }));
    expect(await screen.findAllByText("Fill this in.")).toHaveLength(4);
    await person.type(screen.getByLabelText("Recipient"), "\u05de\u05d9\u05d4");
    expect(await screen.findByText(/^Use Latin letters/)).toBeTruthy();
    expect(screen.getByText(/^Enter five digits/)).toBeTruthy();
  });
});

describe("the kind of an account", () => {
  it("stays while a commitment is open, and its name can still be changed", async () => {
    const given: unknown[] = [];
    const kind = { kind: "group", display_name: "Knitters", may_change: false };
    server.use(
      http.get("*/v1/account/kind", () => HttpResponse.json(kind)),
      http.put("*/v1/account/kind", async ({ request }) => {
        given.push(await request.json());
        return HttpResponse.json(kind);
      }),
    );
    const person = userEvent.setup();
    show(<KindSection />);
    const other = await screen.findByRole("radio", { name: /^A person/ });
    expect((other as HTMLInputElement).disabled).toBe(true);
    await person.type(screen.getByLabelText("Name of the group or organisation"), " of Ballard");
    await person.click(screen.getByRole("button", { name: "Keep this" }));
    expect(await screen.findByText("It is kept.")).toBeTruthy();
    expect(given).toEqual([{ kind: "group", display_name: "Knitters of Ballard" }]);
  });
});
