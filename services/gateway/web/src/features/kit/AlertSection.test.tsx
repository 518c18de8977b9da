import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { HttpResponse, http } from "msw";
import { describe, expect, it } from "vitest";
import type { AlertRule } from "@/api/types";
import { AlertSection } from "@/features/kit/AlertSection";
import { CAMPAIGN_ID, problem } from "@/testing/fixtures";
import { show } from "@/testing/render";
import { refuse, server } from "@/testing/server";

const RULE: AlertRule = {
  id: "0f6a1d00-0000-4000-8000-0000000000d1",
  rule: { kind: "target_percent", campaign_id: CAMPAIGN_ID, percent: 80 },
  campaign_title: "Dryers for Ballard",
  state: "waiting",
  words: "Waits. You get a mail when it comes true.",
  set_at: "2026-11-21T09:00:00Z",
  firings: 0,
  fired_at: null,
};

function serve(rules: AlertRule[] = []) {
  let kept = rules;
  const asked: unknown[] = [];
  server.use(
    http.get("*/v1/me/alerts", () => HttpResponse.json({ data: kept, next_cursor: null })),
    http.get("*/v1/campaigns", () =>
      HttpResponse.json({
        data: [
          { id: CAMPAIGN_ID, title: "Dryers for Ballard", state: "ACTIVE" },
          { id: "closed", title: "Stoves", state: "CLOSED" },
        ],
        next_cursor: null,
      }),
    ),
    http.post("*/v1/me/alerts", async ({ request }) => {
      const body = (await request.json()) as Pick<AlertRule, "rule">;
      asked.push(body);
      const made = { ...RULE, ...body };
      kept = [made, ...kept];
      return HttpResponse.json(made, { status: 201 });
    }),
    http.post("*/v1/me/alerts/:id/removal", ({ params }) => {
      kept = kept.filter(({ id }) => id !== params.id);
      return HttpResponse.json({ ...RULE, state: "removed" });
    }),
  );
  return asked;
}

describe("alert rules", () => {
  it("are set for a campaign that is not over, with the figure that was written", async () => {
    const asked = serve();
    const person = userEvent.setup();
    show(<AlertSection />);
    const campaign = await screen.findByRole("option", { name: "Dryers for Ballard" });
    expect(screen.queryByRole("option", { name: "Stoves" })).toBeNull();
    await person.selectOptions(screen.getByLabelText("Campaign"), campaign);
    const figure = screen.getByLabelText("Held units, in percent of the target");
    await person.clear(figure);
    await person.type(figure, "100");
    await person.click(screen.getByRole("button", { name: "Set the rule" }));
    expect(await screen.findByText("Dryers for Ballard: 100 % of the target is held")).toBeTruthy();
    expect(asked).toEqual([
      { rule: { kind: "target_percent", campaign_id: CAMPAIGN_ID, percent: 100 } },
    ]);
  });

  it("about refunds need no campaign", async () => {
    const asked = serve();
    const person = userEvent.setup();
    show(<AlertSection />);
    await person.selectOptions(await screen.findByLabelText("Tell me when"), "refund_unsettled");
    await person.click(screen.getByRole("button", { name: "Set the rule" }));
    expect(
      await screen.findByText("A refund of mine is not sent 24 hours after it was decided"),
    ).toBeTruthy();
    expect(asked).toEqual([{ rule: { kind: "refund_unsettled", hours: 24 } }]);
  });

  it("say what is missing before anything is sent", async () => {
    const asked = serve();
    const person = userEvent.setup();
    show(<AlertSection />);
    await person.clear(await screen.findByLabelText("Held units, in percent of the target"));
    await person.click(screen.getByRole("button", { name: "Set the rule" }));
    expect(await screen.findByText("Choose a campaign.")).toBeTruthy();
    expect(screen.getByText("A whole number from 1 to 200.")).toBeTruthy();
    expect(asked).toEqual([]);
  });

  it("are removed after it was explained, those that are over are not", async () => {
    serve([RULE, { ...RULE, id: "over", state: "fired", firings: 1, fired_at: RULE.set_at }]);
    const person = userEvent.setup();
    show(<AlertSection />);
    const name = "Remove: Dryers for Ballard: 80 % of the target is held";
    await person.click(await screen.findByRole("button", { name }));
    await person.click(screen.getByRole("button", { name: "Remove it" }));
    expect(await screen.findByText(/Came true on/)).toBeTruthy();
    expect(screen.queryByRole("button", { name })).toBeNull();
  });

  it("that are so already are refused with what it means", async () => {
    serve();
    server.use(http.post("*/v1/me/alerts", () => refuse(problem("alert_true_already", 409))));
    const person = userEvent.setup();
    show(<AlertSection />);
    await person.selectOptions(await screen.findByLabelText("Tell me when"), "refund_unsettled");
    await person.click(screen.getByRole("button", { name: "Set the rule" }));
    expect(await screen.findByRole("alert")).toBeTruthy();
  });
});
