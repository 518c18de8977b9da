import { HttpResponse, http } from "msw";
import { describe, expect, it } from "vitest";
import { CardRefused, ConnectionLost } from "@/api/problem";
import { createConfirmationToken, readExpiry } from "@/shared/payment/standInTokens";
import { server } from "@/testing/server";

const PROCESSOR = { apiBase: "http://127.0.0.1:4242", publishableKey: "pk_test_1" };
const CARD = { number: "4242424242424242", expiryMonth: 12, expiryYear: 2034, cvc: "123" };
const ADDRESS = "http://127.0.0.1:4242/v1/confirmation_tokens";

describe("an expiry date", () => {
  it.each([
    ["12/34", { month: 12, year: 2034 }],
    ["1 / 2034", { month: 1, year: 2034 }],
    ["07-31", { month: 7, year: 2031 }],
    ["13/34", null],
    ["12", null],
    ["", null],
  ])("%s is read as %j", (text, date) => {
    expect(readExpiry(text)).toEqual(date);
  });
});

describe("a confirmation token", () => {
  it("is asked for as Stripe's own form asks, with the publishable key alone", async () => {
    let sent = new URLSearchParams();
    let key: string | null = null;
    server.use(
      http.post(ADDRESS, async ({ request }) => {
        sent = new URLSearchParams(await request.text());
        key = request.headers.get("Authorization");
        return HttpResponse.json({ id: "ctoken_1" });
      }),
    );
    expect(await createConfirmationToken(PROCESSOR, CARD)).toBe("ctoken_1");
    expect(key).toBe("Bearer pk_test_1");
    expect(sent.get("payment_method_data[card][number]")).toBe(CARD.number);
    expect(sent.get("payment_method_data[card][exp_month]")).toBe("12");
  });

  it("is refused with the processor's reason", async () => {
    server.use(
      http.post(ADDRESS, () =>
        HttpResponse.json(
          { error: { code: "incorrect_number", param: "number" } },
          { status: 402 },
        ),
      ),
    );
    const error = await createConfirmationToken(PROCESSOR, CARD).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(CardRefused);
    expect((error as CardRefused).reason).toBe("incorrect_number");
  });

  it("tells a missing answer apart from a refusal", async () => {
    server.use(http.post(ADDRESS, () => HttpResponse.error()));
    await expect(createConfirmationToken(PROCESSOR, CARD)).rejects.toBeInstanceOf(ConnectionLost);
  });
});
