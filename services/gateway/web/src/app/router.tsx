import { createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import { ProblemPage } from "@/app/ProblemPage";
import { root } from "@/app/root";
import { workRoutes } from "@/app/workRoutes";
import { AccountPage } from "@/features/account/AccountPage";
import { SignInPage } from "@/features/account/SignInPage";
import { CampaignListPage } from "@/features/campaigns/CampaignListPage";
import { CampaignPage } from "@/features/campaigns/CampaignPage";

const JOIN_STEPS = ["delivery", "review", "card"] as const;
type JoinStep = (typeof JOIN_STEPS)[number];

interface JoinSearch {
  step?: JoinStep;
  quantity?: number;
  address?: string;
}

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

const escrow = createRoute({
  getParentRoute: () => root,
  path: "/campaigns/$campaignId/escrow",
  component: lazyRouteComponent(() => import("@/features/escrow/EscrowPage"), "EscrowPage"),
});

const platformEscrow = createRoute({
  getParentRoute: () => root,
  path: "/escrow",
  component: lazyRouteComponent(
    () => import("@/features/escrow/PlatformEscrowPage"),
    "PlatformEscrowPage",
  ),
});

const join = createRoute({
  getParentRoute: () => root,
  path: "/campaigns/$campaignId/join",
  // The step and what was answered stand in the page's address: going back or reloading loses nothing.
  validateSearch: (search: Record<string, unknown>): JoinSearch => {
    const step = JOIN_STEPS.find((each) => each === search.step);
    const address = text(search.address);
    return {
      ...(step === undefined ? {} : { step }),
      ...(Number.isSafeInteger(search.quantity) ? { quantity: Number(search.quantity) } : {}),
      ...(address === undefined ? {} : { address }),
    };
  },
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

const signUp = createRoute({
  getParentRoute: () => root,
  path: "/sign-up",
  component: lazyRouteComponent(() => import("@/features/account/SignUpPage"), "SignUpPage"),
});

const security = createRoute({
  getParentRoute: () => root,
  path: "/security",
  validateSearch: (search: Record<string, unknown>): { next?: string } => {
    const next = text(search.next);
    return next === undefined ? {} : { next };
  },
  component: lazyRouteComponent(() => import("@/features/account/SecurityPage"), "SecurityPage"),
});

const invite = createRoute({
  getParentRoute: () => root,
  path: "/invite",
  component: lazyRouteComponent(() => import("@/features/account/InvitePage"), "InvitePage"),
});

const myData = createRoute({
  getParentRoute: () => root,
  path: "/account/data",
  component: lazyRouteComponent(() => import("@/features/privacy/MyDataPage"), "MyDataPage"),
});

const kit = createRoute({
  getParentRoute: () => root,
  path: "/account/kit",
  component: lazyRouteComponent(() => import("@/features/kit/KitPage"), "KitPage"),
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

const transparency = createRoute({
  getParentRoute: () => root,
  path: "/transparency",
  component: lazyRouteComponent(
    () => import("@/features/transparency/TransparencyPage"),
    "TransparencyPage",
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
    escrow,
    platformEscrow,
    join,
    signIn,
    signUp,
    account,
    security,
    invite,
    myData,
    kit,
    commitments,
    commitment,
    transparency,
    problem,
    ...workRoutes,
  ]),
  scrollRestoration: true,
  defaultPreload: false,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
