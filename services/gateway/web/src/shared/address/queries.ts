import { useQuery } from "@tanstack/react-query";
import { api, read } from "@/api/client";
import type { components } from "@/api/generated/schema";
import type { Address } from "@/api/types";
import { useAccountAct } from "@/shared/proof/queries";

export type AddressBody = components["schemas"]["AddressBody"];

/** An address with the version that a change of it names. */
interface Versioned {
  address: Address;
  version: string;
}

/** The signed-in participant's addresses, the default first. */
export function useAddresses(enabled = true) {
  return useQuery<Address[]>({
    queryKey: ["account", "addresses"],
    queryFn: async () => (await read(api.GET("/v1/me/addresses"))).data,
    enabled,
  });
}

/** One address as it is now, read when a change of it begins. */
export function useAddress(addressId: string) {
  return useQuery<Versioned>({
    queryKey: ["account", "addresses", addressId],
    queryFn: async () => {
      const asked = api.GET("/v1/me/addresses/{address_id}", {
        params: { path: { address_id: addressId } },
      });
      return {
        address: await read(asked),
        version: (await asked).response.headers.get("ETag") ?? "",
      };
    },
    // What is being changed is read anew each time, and not under the person's hands.
    gcTime: 0,
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
  });
}

export function useAddAddress() {
  return useAccountAct((body: AddressBody) => read(api.POST("/v1/me/addresses", { body })));
}

export function useChangeAddress(addressId: string) {
  return useAccountAct(({ body, version }: { body: AddressBody; version: string }) =>
    read(
      api.PUT("/v1/me/addresses/{address_id}", {
        params: { path: { address_id: addressId }, header: { "If-Match": version } },
        body,
      }),
    ),
  );
}

export function useRemoveAddress() {
  return useAccountAct((address_id: string) =>
    read(api.DELETE("/v1/me/addresses/{address_id}", { params: { path: { address_id } } })),
  );
}
