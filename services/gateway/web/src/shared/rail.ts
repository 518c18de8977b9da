import { useQuery } from "@tanstack/react-query";
import { api, read } from "@/api/client";

/** The payment rail in words: who holds the money, its longest hold, how long a refund takes. */
export function useRail() {
  return useQuery({
    queryKey: ["client-config", "payment-rail"],
    queryFn: () => read(api.GET("/v1/payment-rail")),
    staleTime: Number.POSITIVE_INFINITY,
  });
}
