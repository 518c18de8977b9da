import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import type { Campaign, Progress } from "@/api/types";
import { campaignKey } from "@/shared/campaign";

/** How often a page without a stream reads its figures again, in milliseconds. */
export const POLL_MILLISECONDS = 15_000;
/** How long a page without a stream waits before it tries one again. */
const OPEN_AGAIN_MILLISECONDS = 60_000;
/** The ledger's figures follow the progress; they are read at most this often. */
const FIGURES_MILLISECONDS = 2_000;

/**
 * Keep a campaign's progress current and say how: by the stream, or by reading again.
 *
 * The browser itself reopens a broken stream and sends Last-Event-ID; only a stream that the
 * server refused is given up, and tried again after a minute.
 */
export function useLiveProgress(campaignId: string): "stream" | "polling" {
  const client = useQueryClient();
  const [mode, setMode] = useState<"stream" | "polling">("stream");

  useEffect(() => {
    if (mode === "polling") {
      const timer = setTimeout(() => setMode("stream"), OPEN_AGAIN_MILLISECONDS);
      return () => clearTimeout(timer);
    }
    const follower = followProgress(client, campaignId);
    const stream = new EventSource(`/v1/campaigns/${encodeURIComponent(campaignId)}/events`);
    stream.addEventListener("progress", (event: MessageEvent<string>) => follower.take(event.data));
    stream.addEventListener("error", () => {
      if (stream.readyState === EventSource.CLOSED) setMode("polling");
    });
    return () => {
      stream.close();
      follower.stop();
    };
  }, [client, campaignId, mode]);

  return mode;
}

/** Writes each progress into the campaign that is shown and has the rest read again soon after. */
function followProgress(client: QueryClient, campaignId: string) {
  const key = campaignKey(campaignId);
  let timer: ReturnType<typeof setTimeout> | null = null;

  function take(text: string) {
    const progress = JSON.parse(text) as Progress;
    const known = client.getQueryData<Campaign>(key);
    if (known === undefined) return;
    const changed = JSON.stringify(known.progress) !== JSON.stringify(progress);
    client.setQueryData<Campaign>(key, { ...known, progress, joining: progress.joining });
    if (changed && timer === null) {
      timer = setTimeout(() => {
        timer = null;
        void client.invalidateQueries({ queryKey: key });
      }, FIGURES_MILLISECONDS);
    }
  }

  function stop() {
    if (timer !== null) clearTimeout(timer);
  }

  return { take, stop };
}
