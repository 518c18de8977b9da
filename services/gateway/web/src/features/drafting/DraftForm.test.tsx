import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { HttpResponse, http } from "msw";
import { describe, expect, it } from "vitest";
import type { Account, Campaign } from "@/api/types";
import { DraftForm } from "@/features/drafting/DraftForm";
import { type CampaignBody, contentOf } from "@/features/drafting/draft";
import { ana, CAMPAIGN_ID, campaign, problem } from "@/testing/fixtures";
import { show } from "@/testing/render";
import { refuse, server } from "@/testing/server";

const olga: Account = { ...ana, role: "operations", label: "olga" };
const DRAFT: Campaign = { ...campaign, state: "DRAFT", state_words: "Draft" };
const BASE = { content: contentOf(DRAFT), etag: '"one"' };

function changed(terms: Partial<Campaign["terms"]>, more: Partial<Campaign> = {}): Campaign {
  return { ...DRAFT, ...more, terms: { ...DRAFT.terms, ...terms } };
}

/** A draft of which another version is stored by now; a change of any other version is refused. */
function serve(now: Campaign, etag = '"two"') {
  const taken: { body: CampaignBody; etag: string | null }[] = [];
  const path = `*/v1/campaigns/${CAMPAIGN_ID}`;
  server.use(
    http.get("*/v1/suppliers", () => HttpResponse.json({ data: [], next_cursor: null })),
    http.get(path, () => HttpResponse.json(now, { headers: { ETag: etag } })),
    http.put(path, async ({ request }) => {
      const wanted = request.headers.get("If-Match");
      if (wanted !== etag) return refuse(problem("version_stale", 412));
      taken.push({ body: (await request.json()) as CampaignBody, etag: wanted });
      return HttpResponse.json(now);
    }),
  );
  return taken;
}

function edit() {
  return show(<DraftForm account={olga} stored={{ campaignId: CAMPAIGN_ID, base: BASE }} />);
}

async function retitle(person: ReturnType<typeof userEvent.setup>, title: string) {
  const field = await screen.findByLabelText("Title of the campaign");
  await person.clear(field);
  await person.type(field, title);
}

describe("a draft that somebody else's version stands in the way of", () => {
  it("shows what differs, takes single stored words, and is then saved over the version it showed", async () => {
    const taken = serve(changed({ title: "Grinder, pickup", target_units: 50 }));
    const person = userEvent.setup();
    edit();
    await retitle(person, "Grinder, north");
    await person.click(screen.getByRole("button", { name: "Save the draft" }));
    const conflict = await screen.findByRole("region", {
      name: "Another version was stored meanwhile",
    });
    expect(within(conflict).getByText("Grinder, north")).toBeTruthy();
    expect(within(conflict).getByText("Grinder, pickup")).toBeTruthy();
    expect(taken).toEqual([]);
    await person.click(
      within(conflict).getByRole("button", { name: "Take the stored words: Target quantity" }),
    );
    expect(within(conflict).queryByText("Target quantity")).toBeNull();
    await person.click(screen.getByRole("button", { name: "Save mine over the stored version" }));
    await waitFor(() => expect(taken).toHaveLength(1));
    expect(taken[0]?.body.terms).toMatchObject({ title: "Grinder, north", target_units: 50 });
  });

  it("can be given up for all of the stored version", async () => {
    serve(changed({ title: "Grinder, pickup" }));
    const person = userEvent.setup();
    edit();
    await retitle(person, "Grinder, north");
    await person.click(screen.getByRole("button", { name: "Save the draft" }));
    await person.click(
      await screen.findByRole("button", { name: "Take all of the stored version" }),
    );
    await person.click(screen.getByRole("button", { name: "Take all of the stored version" }));
    expect(screen.getByLabelText("Title of the campaign")).toHaveProperty(
      "value",
      "Grinder, pickup",
    );
    expect(screen.queryByText("Another version was stored meanwhile")).toBeNull();
  });

  it("is sent again by itself when only something around the draft has changed", async () => {
    const taken = serve(changed({}, { stale: true }));
    const person = userEvent.setup();
    edit();
    await retitle(person, "Grinder, north");
    await person.click(screen.getByRole("button", { name: "Save the draft" }));
    await waitFor(() => expect(taken.map(({ etag }) => etag)).toEqual(['"two"']));
  });

  it("keeps what was typed when the campaign is no draft any more, and offers no save", async () => {
    serve(changed({}, { state: "IN_REVIEW" }));
    const person = userEvent.setup();
    edit();
    await retitle(person, "Grinder, north");
    await person.click(screen.getByRole("button", { name: "Save the draft" }));
    expect(await screen.findByText(/no longer a draft/)).toBeTruthy();
    expect(screen.getByLabelText("Title of the campaign")).toHaveProperty(
      "value",
      "Grinder, north",
    );
    expect(screen.queryByRole("button", { name: /^Save/ })).toBeNull();
  });
});

describe("what is typed", () => {
  it("stays with the server's words beside the field it means", async () => {
    serve(DRAFT, '"one"');
    server.use(
      http.put("*/v1/campaigns/:id", () =>
        refuse(
          problem("validation_failed", 422, {
            errors: [{ pointer: "/terms/title", message: "At most 200 characters.", code: "long" }],
          }),
        ),
      ),
    );
    const person = userEvent.setup();
    edit();
    await retitle(person, "Grinder, north");
    await person.click(screen.getByRole("button", { name: "Save the draft" }));
    const field = screen.getByLabelText("Title of the campaign");
    await waitFor(() => expect(field.getAttribute("aria-invalid")).toBe("true"));
    expect(screen.getByText("Title of the campaign: At most 200 characters.")).toBeTruthy();
    expect(field).toHaveProperty("value", "Grinder, north");
  });

  it("is there again after a reload, and can be dropped", async () => {
    serve(DRAFT, '"one"');
    const person = userEvent.setup();
    edit();
    await retitle(person, "Grinder, north");
    document.body.replaceChildren();
    edit();
    const field = await screen.findByLabelText("Title of the campaign");
    expect(field).toHaveProperty("value", "Grinder, north");
    await person.click(
      screen.getByRole("button", { name: "Drop it and start from the stored version" }),
    );
    expect(field).toHaveProperty("value", DRAFT.terms.title);
  });
});
