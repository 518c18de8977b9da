import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { HttpResponse, http } from "msw";
import { describe, expect, it } from "vitest";
import type { Erasure } from "@/api/types";
import { MyDataPage } from "@/features/privacy/MyDataPage";
import { answerStepUps } from "@/shared/proof/stepUp";
import { CAMPAIGN_ID, COMMITMENT_ID, maya, problem } from "@/testing/fixtures";
import { show } from "@/testing/render";
import { refuse, server } from "@/testing/server";

const OPEN: Erasure = {
  state: "not_requested",
  requested_at: null,
  not_before: null,
  waits_for: [
    {
      kind: "funds",
      words: "Funds for this commitment are held, or may still arrive.",
      commitment_id: COMMITMENT_ID,
      campaign_id: CAMPAIGN_ID,
      campaign_title: "Dryers for Ballard",
    },
  ],
};

function serve(account = maya) {
  let erasure = OPEN;
  server.use(
    http.get("*/v1/me", () => HttpResponse.json({ account, csrf_token: "t" })),
    http.get("*/v1/me/erasure", () => HttpResponse.json(erasure)),
    http.post("*/v1/me/erasure", () => {
      erasure = {
        ...OPEN,
        state: "waiting",
        requested_at: "2026-11-21T09:00:00Z",
        not_before: "2026-11-21T10:00:00Z",
      };
      return HttpResponse.json(erasure);
    }),
    http.delete("*/v1/me/erasure", () => {
      erasure = OPEN;
      return new HttpResponse(null, { status: 204 });
    }),
  );
}

describe("my data", () => {
  it("offers a copy, and tells what erasure would wait for before it is asked for", async () => {
    serve();
    show(<MyDataPage />);
    const page = await screen.findByRole("link", { name: "A page to read" });
    expect(page.getAttribute("href")).toBe("/v1/me/data?format=html");
    expect(await screen.findByText("It would wait until this is settled:")).toBeTruthy();
    expect(screen.getByRole("link", { name: "Dryers for Ballard" })).toBeTruthy();
  });

  it("records a request after it was explained, and takes it back", async () => {
    serve();
    const person = userEvent.setup();
    show(<MyDataPage />);
    await person.click(await screen.findByRole("button", { name: "Erase my data" }));
    await person.click(screen.getByRole("button", { name: "Record the request" }));
    expect(await screen.findByText("Your request is recorded")).toBeTruthy();
    await person.click(screen.getByRole("button", { name: "Take the request back" }));
    expect(await screen.findByRole("button", { name: "Erase my data" })).toBeTruthy();
  });

  it("asks for a fresh proof where the request needs one, and records it then", async () => {
    serve();
    let refusals = 0;
    server.use(
      http.post(
        "*/v1/me/erasure",
        () => {
          refusals += 1;
          return refuse(problem("step_up_required", 403));
        },
        { once: true },
      ),
    );
    const takeBack = answerStepUps(() => Promise.resolve(true));
    const person = userEvent.setup();
    show(<MyDataPage />);
    await person.click(await screen.findByRole("button", { name: "Erase my data" }));
    await person.click(screen.getByRole("button", { name: "Record the request" }));
    expect(await screen.findByText("Your request is recorded")).toBeTruthy();
    expect(refusals).toBe(1);
    takeBack();
  });

  it("leads to a new sign-in whoever has no second factor and signed in long ago", async () => {
    serve();
    server.use(http.post("*/v1/me/erasure", () => refuse(problem("sign_in_again", 403))));
    const person = userEvent.setup();
    show(<MyDataPage />);
    await person.click(await screen.findByRole("button", { name: "Erase my data" }));
    await person.click(screen.getByRole("button", { name: "Record the request" }));
    const link = within(await screen.findByRole("alert")).getByRole("link", { name: "Sign in" });
    expect(link.getAttribute("href")).toMatch(/^\/sign-in\?next=/);
  });

  it("offers no erasure to people of staff", async () => {
    serve({ ...maya, role: "operations", label: "olga" });
    show(<MyDataPage />);
    expect(await screen.findByRole("link", { name: "A file for programs" })).toBeTruthy();
    expect(screen.queryByText("Erase my data")).toBeNull();
  });
});
