import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { HttpResponse, http } from "msw";
import { describe, expect, it } from "vitest";
import type { AccessToken, TokenScope } from "@/api/types";
import { KitPage } from "@/features/kit/KitPage";
import { ana, dock, maya } from "@/testing/fixtures";
import { show } from "@/testing/render";
import { refuse, server } from "@/testing/server";

const SECRET = "alp_9sK2madeForThisTestAlone";
const USED: AccessToken = {
  id: "0f6a1d00-0000-4000-8000-0000000000c1",
  scopes: ["commitments"],
  hint: "alp_7f3k",
  created_at: "2026-10-01T09:00:00Z",
  expires_at: "2027-10-01T09:00:00Z",
  last_used_at: "2026-11-20T18:30:00Z",
};
const NEW: AccessToken = {
  ...USED,
  id: "0f6a1d00-0000-4000-8000-0000000000c2",
  hint: "alp_9sK2",
  last_used_at: null,
};

function serve({
  account = maya,
  tokens = [] as AccessToken[],
  offered = ["campaigns", "commitments"] as TokenScope[],
} = {}) {
  let kept = tokens;
  let renewals = 0;
  let made_at: string | null = null;
  const asked: unknown[] = [];
  server.use(
    http.get("*/v1/me", () => HttpResponse.json({ account, csrf_token: "t" })),
    http.get("*/v1/access-tokens", () =>
      HttpResponse.json({ data: kept, next_cursor: null, scopes_offered: offered }),
    ),
    http.post("*/v1/access-tokens", async ({ request }) => {
      const body = (await request.json()) as Pick<AccessToken, "scopes">;
      asked.push(body);
      const made = { ...NEW, scopes: body.scopes };
      kept = [made, ...kept];
      return HttpResponse.json({ ...made, secret: SECRET }, { status: 201 });
    }),
    http.delete("*/v1/access-tokens/:id", ({ params }) => {
      kept = kept.filter(({ id }) => id !== params.id);
      return new HttpResponse(null, { status: 204 });
    }),
    http.get("*/v1/me/calendar", () => HttpResponse.json({ made_at, url: null })),
    http.post("*/v1/me/calendar", () => {
      renewals += 1;
      made_at = `2026-11-21T09:0${renewals}:00Z`;
      return HttpResponse.json({ made_at, url: `https://alpmera.test/v1/calendar/s${renewals}` });
    }),
    http.delete("*/v1/me/calendar", () => {
      made_at = null;
      return new HttpResponse(null, { status: 204 });
    }),
  );
  return asked;
}

describe("access tokens", () => {
  it("are made with the scopes that were chosen, shown once, and copied", async () => {
    const asked = serve();
    const person = userEvent.setup();
    show(<KitPage />);
    await person.click(await screen.findByRole("checkbox", { name: "Campaigns" }));
    await person.click(screen.getByRole("checkbox", { name: "My commitments" }));
    await person.click(screen.getByRole("checkbox", { name: "Campaigns" }));
    await person.click(screen.getByRole("button", { name: "Make the token" }));
    const once = await screen.findByText(SECRET);
    expect(asked).toEqual([{ scopes: ["commitments"] }]);
    await person.click(
      within(once.parentElement as HTMLElement).getByRole("button", { name: "Copy" }),
    );
    expect(await navigator.clipboard.readText()).toBe(SECRET);
    expect(screen.getByRole("list", { name: "Your access tokens" }).textContent).not.toContain(
      SECRET,
    );
  });

  it("are shown no more when the page is opened again", async () => {
    serve({ tokens: [NEW] });
    show(<KitPage />);
    expect(await screen.findByText("Token that begins with alp_9sK2")).toBeTruthy();
    expect(screen.getByText(/Not used yet/)).toBeTruthy();
    expect(screen.queryByText(SECRET)).toBeNull();
  });

  it("need a scope before anything is sent", async () => {
    const asked = serve();
    const person = userEvent.setup();
    show(<KitPage />);
    await person.click(await screen.findByRole("button", { name: "Make the token" }));
    expect(await screen.findByText("Choose at least one.")).toBeTruthy();
    expect(asked).toEqual([]);
  });

  it("tell their last use, and are ended after it was explained", async () => {
    serve({ tokens: [USED] });
    const person = userEvent.setup();
    show(<KitPage />);
    expect(await screen.findByText(/Last used .*2026/)).toBeTruthy();
    const name = "End: Token that begins with alp_7f3k";
    await person.click(screen.getByRole("button", { name }));
    expect(screen.getByText("A program that uses it can ask nothing from then on.")).toBeTruthy();
    await person.click(screen.getByRole("button", { name: "End it" }));
    expect(await screen.findByText("You have no access token.")).toBeTruthy();
  });

  it("say what to correct when the server refuses one", async () => {
    serve();
    server.use(
      http.post("*/v1/access-tokens", () =>
        refuse({
          type: "/problems/validation_failed",
          title: "Something in the request is not right",
          status: 422,
          detail: "End a token first.",
          instance: "/v1/access-tokens",
          code: "validation_failed",
          facts: { tokens_max: 20 },
          errors: [],
          trace_id: "4bf92f3577b34da6a3ce929d0e0e4736",
          request_id: "r1",
        }),
      ),
    );
    const person = userEvent.setup();
    show(<KitPage />);
    await person.click(await screen.findByRole("checkbox", { name: "Campaigns" }));
    await person.click(screen.getByRole("button", { name: "Make the token" }));
    expect(await screen.findByRole("alert")).toBeTruthy();
    expect(screen.queryByText(SECRET)).toBeNull();
  });
});

describe("the calendar", () => {
  it("has an address that is shown once, renewed after a question, and ended", async () => {
    serve();
    const person = userEvent.setup();
    show(<KitPage />);
    await person.click(await screen.findByRole("button", { name: "Make the address" }));
    expect(await screen.findByText("https://alpmera.test/v1/calendar/s1")).toBeTruthy();

    await person.click(screen.getByRole("button", { name: "Renew the address" }));
    expect(screen.getByText(/The address that you have now leads nowhere/)).toBeTruthy();
    await person.click(screen.getByRole("button", { name: "Renew the address" }));
    expect(await screen.findByText("https://alpmera.test/v1/calendar/s2")).toBeTruthy();
    expect(screen.queryByText("https://alpmera.test/v1/calendar/s1")).toBeNull();

    await person.click(screen.getByRole("button", { name: "End the calendar" }));
    await person.click(screen.getByRole("button", { name: "End the calendar" }));
    expect(await screen.findByRole("button", { name: "Make the address" })).toBeTruthy();
    expect(screen.queryByText("https://alpmera.test/v1/calendar/s2")).toBeNull();
  });
});

describe("the page", () => {
  it("offers staff the scopes of their role and no calendar", async () => {
    serve({ account: ana, offered: ["campaigns", "work", "audit"] });
    show(<KitPage />);
    expect(await screen.findByRole("checkbox", { name: "Audit records" })).toBeTruthy();
    expect(screen.queryByRole("checkbox", { name: "My commitments" })).toBeNull();
    expect(screen.queryByRole("button", { name: "Make the address" })).toBeNull();
  });

  it("is not the suppliers'", async () => {
    serve({ account: dock });
    show(<KitPage />);
    expect(await screen.findByRole("alert")).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Make the token" })).toBeNull();
  });
});
