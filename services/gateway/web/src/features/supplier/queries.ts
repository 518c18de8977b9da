import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { api, read } from "@/api/client";
import type { components } from "@/api/generated/schema";
import type { Invitation } from "@/api/types";
import { useAct } from "@/shared/useAct";

type Shipment = components["schemas"]["ShipmentView"];
type InvitationAnswer = components["schemas"]["InvitationView"];

const COMMITMENTS_PER_PART = 100;
const RECHECK_MILLISECONDS = 20_000;

export function useInvitations() {
  return useQuery({
    queryKey: ["invitations"],
    queryFn: async () => (await read(api.GET("/v1/invitations"))).data as Invitation[],
    refetchInterval: RECHECK_MILLISECONDS,
  });
}

export function useAccept(invitationId: string) {
  return useAct<{ terms_hash: string }, InvitationAnswer>({
    name: `accept/${invitationId}`,
    send: (body, headers) =>
      api.POST("/v1/invitations/{invitation_id}/acceptance", {
        params: { path: { invitation_id: invitationId }, header: headers },
        body,
      }),
  });
}

export function useDecline(invitationId: string) {
  return useAct<{ reason: string }, InvitationAnswer>({
    name: `decline/${invitationId}`,
    send: (body, headers) =>
      api.POST("/v1/invitations/{invitation_id}/decline", {
        params: { path: { invitation_id: invitationId }, header: headers },
        body,
      }),
  });
}

/** The commitments of a campaign as its supplier sees them: no money, nobody's name. */
export function useDeliveries(campaignId: string) {
  return useInfiniteQuery({
    queryKey: ["campaign-commitments", campaignId],
    queryFn: ({ pageParam }) =>
      read(
        api.GET("/v1/campaigns/{campaign_id}/commitments", {
          params: {
            path: { campaign_id: campaignId },
            query: {
              state: "LOCKED",
              limit: COMMITMENTS_PER_PART,
              ...(pageParam === null ? {} : { cursor: pageParam }),
            },
          },
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (part) => part.next_cursor,
  });
}

/** Where a campaign's units go; empty before and after its fulfillment. */
export function useDeliveryAddresses(campaignId: string) {
  return useInfiniteQuery({
    queryKey: ["campaign-delivery-addresses", campaignId],
    queryFn: ({ pageParam }) =>
      read(
        api.GET("/v1/campaigns/{campaign_id}/delivery-addresses", {
          params: {
            path: { campaign_id: campaignId },
            query: {
              limit: COMMITMENTS_PER_PART,
              ...(pageParam === null ? {} : { cursor: pageParam }),
            },
          },
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (part) => part.next_cursor,
  });
}

export function useDispatch(campaignId: string) {
  return useAct<{ commitment_ids: string[]; tracking: string | null }, Shipment>({
    name: `dispatch/${campaignId}`,
    send: (body, headers) =>
      api.POST("/v1/campaigns/{campaign_id}/dispatches", {
        params: { path: { campaign_id: campaignId }, header: headers },
        body,
      }),
  });
}

export function useDeliver(campaignId: string) {
  return useAct<{ commitment_ids: string[]; evidence: string }, Shipment>({
    name: `deliver/${campaignId}`,
    send: (body, headers) =>
      api.POST("/v1/campaigns/{campaign_id}/deliveries", {
        params: { path: { campaign_id: campaignId }, header: headers },
        body,
      }),
  });
}
