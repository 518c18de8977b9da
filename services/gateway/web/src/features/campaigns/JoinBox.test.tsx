import { screen, waitFor } from "@testing-library/react";
import { HttpResponse, http } from "msw";
import { describe, expect, it } from "vitest";
import { JoinBox } from "@/features/campaigns/JoinBox";
import { campaign } from "@/testing/fixtures";
import { show } from "@/testing/render";
import { server } from "@/testing/server";

const ACCOUNT = { subject_id: "s", role: "participant", supplier_id: null, label: "maya" };

async function shown(joiningPaused: boolean) {
  server.use(http.get("*/v1/me", () => HttpResponse.json({ account: ACCOUNT, csrf_token: "t" })));
  const { queries } = show(<JoinBox campaign={{ ...campaign, joining_paused: joiningPaused }} />);
  await waitFor(() => expect(queries.getQueryData(["me"])).toBeDefined());
}

describe("the box to join", () => {
  it("leads to joining while the campaign accepts joins", async () => {
    await shown(false);
    expect(await screen.findByRole("link")).toBeTruthy();
    expect(screen.queryByText(/Joining pauses for now/)).toBeNull();
  });

  it("says why and leads nowhere while joining pauses", async () => {
    await shown(true);
    expect(await screen.findByText(/Joining pauses for now/)).toBeTruthy();
    expect(screen.queryByRole("link")).toBeNull();
  });
});
