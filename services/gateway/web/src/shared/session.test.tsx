import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { HttpResponse, http } from "msw";
import { describe, expect, it } from "vitest";
import { keepWords, keptBody, keptWords, rememberAct } from "@/api/keys";
import { forgetSession, useSession, useSignOut } from "@/shared/session";
import { show } from "@/testing/render";
import { server } from "@/testing/server";

const ACCOUNT = { subject_id: "s", role: "participant", supplier_id: null, label: "maya" };

function Somebody() {
  const { data } = useSession();
  const signOut = useSignOut();
  return (
    <button type="button" onClick={() => signOut.mutate()}>
      {data ? data.label : "nobody"}
    </button>
  );
}

async function signedIn() {
  server.use(http.get("*/v1/me", () => HttpResponse.json({ account: ACCOUNT, csrf_token: "t" })));
  const { queries } = show(<Somebody />);
  await screen.findByText("maya");
  queries.setQueryData(["commitments"], [{ id: "mine" }]);
  queries.setQueryData(["client-config"], { profile: "local" });
  rememberAct("join", { quantity: 2 });
  keepWords("draft/s/new", { title: "Dryers" });
  return queries;
}

describe("the end of a session", () => {
  it("leaves nothing of it in the page", async () => {
    const queries = await signedIn();
    server.use(http.delete("*/v1/session", () => new HttpResponse(null, { status: 204 })));
    await userEvent.click(screen.getByText("maya"));
    expect(await screen.findByText("nobody")).toBeTruthy();
    expect(queries.getQueryData(["commitments"])).toBeUndefined();
    expect(queries.getQueryData(["client-config"])).toBeDefined();
    expect(keptBody("join")).toBeNull();
    expect(keptWords("draft/s/new")).toBeNull();
  });

  it("takes what was read out of the page when no answer comes", async () => {
    const queries = await signedIn();
    server.use(http.delete("*/v1/session", () => HttpResponse.error()));
    await userEvent.click(screen.getByText("maya"));
    await waitFor(() => expect(queries.getQueryData(["commitments"])).toBeUndefined());
    expect(keptBody("join")).toBeNull();
  });

  it("is obeyed when it came from elsewhere", async () => {
    const queries = await signedIn();
    forgetSession(queries);
    expect(await screen.findByText("nobody")).toBeTruthy();
    expect(queries.getQueryData(["commitments"])).toBeUndefined();
  });
});
