import { Button } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Loading } from "@/shared/Loading";
import { ProblemNotice } from "@/shared/ProblemNotice";
import { Stack } from "@/shared/Stack";

interface LoadedProps<T> {
  query: UseQueryResult<T>;
  blocks?: number;
  children: (data: T) => ReactNode;
}

/** A query's data once it is there; before that its skeleton, or why it cannot be had. */
export function Loaded<T>({ query, blocks = 1, children }: LoadedProps<T>) {
  const { t } = useTranslation();
  if (query.data !== undefined) return children(query.data);
  if (!query.isError) return <Loading blocks={blocks} />;
  return (
    <Stack>
      <ProblemNotice error={query.error} />
      <div>
        <Button variant="default" onClick={() => void query.refetch()}>
          {t("common.again")}
        </Button>
      </div>
    </Stack>
  );
}
