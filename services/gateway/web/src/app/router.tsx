import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
} from "@tanstack/react-router";
import { Layout } from "@/app/Layout";
import { MissingPage } from "@/app/MissingPage";
import { PageFault } from "@/app/PageFault";
import { ProblemPage } from "@/app/ProblemPage";
import { CampaignListPage } from "@/features/campaigns/CampaignListPage";
import { CampaignPage } from "@/features/campaigns/CampaignPage";
import { AccountPage } from "@/features/session/AccountPage";
import { SignInPage } from "@/features/session/SignInPage";

const root = createRootRoute({
  component: Layout,
  notFoundComponent: MissingPage,
  errorComponent: PageFault,
});

type JoinStep = "review" | "card";

const text = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined;

const campaigns = createRoute({
  getParentRoute: () => root,
  path: "/",
  validateSearch: (search: Record<string, unknown>): { state?: string } => {
    const state = text(search.state);
    return state === undefined ? {} : { state };
  },
  component: CampaignListPage,
});

const campaign = createRoute({
  getParentRoute: () => root,
  path: "/campaigns/$campaignId",
  component: CampaignPage,
});

const join = createRoute({
  getParentRoute: () => root,
  path: "/campaigns/$campaignId/join",
  // The step and the quantity stand in the address: going back or reloading loses nothing.
  validateSearch: (search: Record<string, unknown>): { step?: JoinStep; quantity?: number } => ({
    ...(search.step === "review" || search.step === "card" ? { step: search.step } : {}),
    ...(Number.isSafeInteger(search.quantity) ? { quantity: Number(search.quantity) } : {}),
  }),
  component: lazyRouteComponent(() => import("@/features/joining/JoinPage"), "JoinPage"),
});

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  validateSearch: (search: Record<string, unknown>): { next?: string } => {
    const next = text(search.next);
    return next === undefined ? {} : { next };
  },
  component: SignInPage,
});

const account = createRoute({
  getParentRoute: () => root,
  path: "/account",
  component: AccountPage,
});

const myData = createRoute({
  getParentRoute: () => root,
  path: "/account/data",
  component: lazyRouteComponent(() => import("@/features/privacy/MyDataPage"), "MyDataPage"),
});

const commitments = createRoute({
  getParentRoute: () => root,
  path: "/commitments",
  component: lazyRouteComponent(
    () => import("@/features/commitments/CommitmentListPage"),
    "CommitmentListPage",
  ),
});

const commitment = createRoute({
  getParentRoute: () => root,
  path: "/commitments/$commitmentId",
  // What the payment processor says when it sends the browser back; the rest of it is dropped.
  validateSearch: (search: Record<string, unknown>): { redirect_status?: string } => {
    const status = text(search.redirect_status);
    return status === undefined ? {} : { redirect_status: status };
  },
  component: lazyRouteComponent(
    () => import("@/features/commitments/CommitmentPage"),
    "CommitmentPage",
  ),
});

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

const staffCampaign = createRoute({
  getParentRoute: () => root,
  path: "/staff/campaigns/$campaignId",
  component: lazyRouteComponent(
    () => import("@/features/staff/StaffCampaignPage"),
    "StaffCampaignPage",
  ),
});

const problem = createRoute({
  getParentRoute: () => root,
  path: "/problems/$code",
  component: ProblemPage,
});

export const router = createRouter({
  routeTree: root.addChildren([
    campaigns,
    campaign,
    join,
    signIn,
    account,
    myData,
    commitments,
    commitment,
    invitations,
    invitation,
    fulfillment,
    staff,
    staffCampaign,
    problem,
  ]),
  scrollRestoration: true,
  defaultPreload: false,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
