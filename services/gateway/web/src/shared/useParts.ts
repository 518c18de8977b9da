import { type QueryKey, useInfiniteQuery } from "@tanstack/react-query";

/** Which part of a list is asked for: so many lines, from the cursor on. */
export interface PartQuery {
  limit: number;
  cursor?: string;
}

interface PartsOptions<Part> {
  queryKey: QueryKey;
  limit: number;
  ask: (query: PartQuery) => Promise<Part>;
  refetchInterval?: number;
}

/** A list that is read part by part, as far as somebody wants to see it. */
export function useParts<Part extends { next_cursor: string | null }>({
  queryKey,
  limit,
  ask,
  refetchInterval,
}: PartsOptions<Part>) {
  return useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam }) =>
      ask({ limit, ...(pageParam === null ? {} : { cursor: pageParam }) }),
    initialPageParam: null as string | null,
    getNextPageParam: (part) => part.next_cursor,
    ...(refetchInterval === undefined ? {} : { refetchInterval }),
  });
}
