import { fireEvent, screen, waitFor } from "@testing-library/react";
import { HttpResponse, http } from "msw";
import { expect, it } from "vitest";
import { HandPlanForm } from "@/features/staff/HandPlanForm";
import { ana, campaign, plan, rows } from "@/testing/fixtures";
import { show } from "@/testing/render";
import { server } from "@/testing/server";

it("an act by hand is sent with its commitments, exact amounts, reason and evidence", async () => {
  const asked: unknown[] = [];
  server.use(
    http.get("*/v1/me", () => HttpResponse.json({ account: ana, csrf_token: "t" })),
    http.get("*/v1/campaigns/:id/commitments", () =>
      HttpResponse.json({ data: rows, next_cursor: null }),
    ),
    http.post("*/v1/campaigns/:id/clearing-plans", async ({ request }) => {
      asked.push(await request.json());
      return HttpResponse.json(plan, { status: 201 });
    }),
  );
  show(<HandPlanForm campaign={campaign} plans={[]} />);
  const write = (field: HTMLElement, value: string) =>
    fireEvent.change(field, { target: { value } });
  write(await screen.findByLabelText("Kind"), "partial_refund");
  const [first] = rows;
  write(await screen.findByLabelText(`Amount for ${first?.reference}`), "12.05");
  await screen.findByText(/The plan moves \$12\.05 for 1 commitment\./);
  const sums = await screen.findByRole("table", { name: "Sums of the campaign", hidden: true });
  expect(sums.textContent).toContain("-$12.05");
  write(screen.getByLabelText("Evidence"), "issue:7f3a photo:2c26");
  write(screen.getByLabelText("What happened, in words"), "The drum is dented.");
  fireEvent.click(screen.getByRole("button", { name: "Submit this act", hidden: true }));
  await waitFor(() => expect(asked).toHaveLength(1));
  expect(asked).toEqual([
    {
      kind: "partial_refund",
      reason: "The drum is dented.",
      reason_code: "quality_issue",
      evidence: ["issue:7f3a", "photo:2c26"],
      lines: [{ commitment_id: first?.id, amount: { amount: 1205, currency: "USD" } }],
      target_plan_id: null,
      target_position: null,
    },
  ]);
});
