import { Button } from "@mantine/core";
import type { InfiniteData, UseInfiniteQueryResult } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

/** The next part of a list, when there is one. */
export function MoreButton({ query }: { query: UseInfiniteQueryResult<InfiniteData<unknown>> }) {
  const { t } = useTranslation();
  if (!query.hasNextPage) return null;
  return (
    <div>
      <Button
        variant="default"
        loading={query.isFetchingNextPage}
        onClick={() => void query.fetchNextPage()}
      >
        {t("common.more")}
      </Button>
    </div>
  );
}
