import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { HttpResponse, http } from "msw";
import { describe, expect, it } from "vitest";
import { CaseList } from "@/features/staff/CaseList";
import { ana, openCase } from "@/testing/fixtures";
import { show } from "@/testing/render";
import { server } from "@/testing/server";

const held = { ...openCase, kind: "psp_mismatch", people_needed: 2 };

describe("a case that nothing closes by itself", () => {
  it("is asked to be closed by an escrow auditor, with what was found and where it is written", async () => {
    const sent: unknown[] = [];
    server.use(
      http.get("*/v1/me", () => HttpResponse.json({ account: ana, csrf_token: "t" })),
      http.post("*/v1/cases/:id/resolution", async ({ request }) => {
        sent.push(await request.json());
        return HttpResponse.json({ ...held, asked_by: "a", asked_words: "Both agree." });
      }),
    );
    const user = userEvent.setup();
    show(<CaseList cases={[held]} empty="None" viewer="escrow_auditor" />);
    await user.click(await screen.findByText("Close this case"));
    await user.type(screen.getByLabelText("What was found"), "Both agree.");
    await user.type(screen.getByLabelText("Evidence"), "report:7 txn_1");
    await user.click(screen.getByRole("button", { name: "Ask to close it" }));
    await user.click(await screen.findByRole("button", { name: "Ask to close it" }));
    await waitFor(() =>
      expect(sent).toEqual([{ resolution: "Both agree.", evidence: ["report:7", "txn_1"] }]),
    );
  });

  it("shows the first word to the second person, and no form to anybody else", async () => {
    const asked = { ...held, asked_by: "a", asked_words: "Both agree.", asked_evidence: ["x:1"] };
    show(<CaseList cases={[asked]} empty="None" viewer="operations" />);
    expect(await screen.findByText("Asked to be closed: Both agree. (x:1)")).toBeTruthy();
    expect(screen.queryByText("Close this case")).toBeNull();
  });
});
