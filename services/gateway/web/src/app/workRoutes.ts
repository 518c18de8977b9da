import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { root } from "@/app/root";

const invitations = createRoute({
  getParentRoute: () => root,
  path: "/supplier",
  component: lazyRouteComponent(
    () => import("@/features/supplier/InvitationListPage"),
    "InvitationListPage",
  ),
});

const invitation = createRoute({
  getParentRoute: () => root,
  path: "/supplier/invitations/$invitationId",
  component: lazyRouteComponent(
    () => import("@/features/supplier/InvitationPage"),
    "InvitationPage",
  ),
});

const fulfillment = createRoute({
  getParentRoute: () => root,
  path: "/supplier/campaigns/$campaignId",
  component: lazyRouteComponent(
    () => import("@/features/supplier/FulfillmentPage"),
    "FulfillmentPage",
  ),
});

const staff = createRoute({
  getParentRoute: () => root,
  path: "/staff",
  component: lazyRouteComponent(() => import("@/features/staff/StaffPage"), "StaffPage"),
});

const staffMoney = createRoute({
  getParentRoute: () => root,
  path: "/staff/money",
  component: lazyRouteComponent(() => import("@/features/staff/StaffMoneyPage"), "StaffMoneyPage"),
});

const staffCampaign = createRoute({
  getParentRoute: () => root,
  path: "/staff/campaigns/$campaignId",
  component: lazyRouteComponent(
    () => import("@/features/staff/StaffCampaignPage"),
    "StaffCampaignPage",
  ),
});

const newDraft = createRoute({
  getParentRoute: () => root,
  path: "/staff/drafts/new",
  component: lazyRouteComponent(() => import("@/features/drafting/DraftPage"), "NewDraftPage"),
});

const editDraft = createRoute({
  getParentRoute: () => root,
  path: "/staff/campaigns/$campaignId/edit",
  component: lazyRouteComponent(() => import("@/features/drafting/DraftPage"), "EditDraftPage"),
});

/** The pages of those who work for campaigns: suppliers and staff. */
export const workRoutes = [
  invitations,
  invitation,
  fulfillment,
  staff,
  staffMoney,
  staffCampaign,
  newDraft,
  editDraft,
] as const;
