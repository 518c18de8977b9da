import { useQuery } from "@tanstack/react-query";
import { api, read } from "@/api/client";

/** Every supplier that staff can name. */
export function useSuppliers(enabled: boolean) {
  return useQuery({
    queryKey: ["suppliers"],
    queryFn: async () => (await read(api.GET("/v1/suppliers"))).data,
    enabled,
  });
}
