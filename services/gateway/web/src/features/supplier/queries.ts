import { useQuery } from "@tanstack/react-query";
import { api, read } from "@/api/client";
import type { components } from "@/api/generated/schema";
import type { Invitation } from "@/api/types";
import { useAct } from "@/shared/useAct";
import { useParts } from "@/shared/useParts";

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
  return useParts({
    queryKey: ["campaign-commitments", campaignId],
    limit: COMMITMENTS_PER_PART,
    ask: (query) =>
      read(
        api.GET("/v1/campaigns/{campaign_id}/commitments", {
          params: { path: { campaign_id: campaignId }, query: { state: "LOCKED", ...query } },
        }),
      ),
  });
}

/** Where a campaign's units go; empty before and after its fulfillment. */
export function useDeliveryAddresses(campaignId: string) {
  return useParts({
    queryKey: ["campaign-delivery-addresses", campaignId],
    limit: COMMITMENTS_PER_PART,
    ask: (query) =>
      read(
        api.GET("/v1/campaigns/{campaign_id}/delivery-addresses", {
          params: { path: { campaign_id: campaignId }, query },
        }),
      ),
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
