import { useQuery } from "@tanstack/react-query";
import { api, read } from "@/api/client";

const MILLISECONDS = 60_000;

/** The head of the public record of checkpoints, which every page prints. */
export function usePlatformHead() {
  return useQuery({
    queryKey: ["platform-head"],
    queryFn: () => read(api.GET("/v1/transparency/head")),
    refetchInterval: MILLISECONDS,
    retry: false,
  });
}
