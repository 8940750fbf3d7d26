/** Line drawings on a 20-unit square, in the colour of the text around them. */
import type { ComponentChildren } from "preact";

function Icon({ children }: { readonly children: ComponentChildren }) {
  return (
    <svg
      class="icon"
      viewBox="0 0 20 20"
      fill="none"
      stroke="currentColor"
      stroke-width="1.7"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      {children}
    </svg>
  );
}

export const BoltIcon = () => (
  <svg class="icon" viewBox="0 0 20 20" fill="currentColor" aria-hidden="true">
    <path d="M11.6 2 4.5 11.200h4.700L8 18l7.5-9.700h-5z" />
  </svg>
);
export const PlusIcon = () => (
  <Icon>
    <path d="M10 4v12M4 10h12" />
  </Icon>
);
export const MinusIcon = () => (
  <Icon>
    <path d="M4 10h12" />
  </Icon>
);
export const FrameIcon = () => (
  <Icon>
    <path d="M3.5 7V3.500H7M13 3.500h3.500V7M16.5 13v3.500H13M7 16.500H3.500V13" />
  </Icon>
);
export const MoonIcon = () => (
  <Icon>
    <path d="M16 11.800A6.5 6.5 0 0 1 8.2 4 6.5 6.5 0 1 0 16 11.800z" />
  </Icon>
);
export const SunIcon = () => (
  <Icon>
    <circle cx="10" cy="10" r="3.3" />
    <path d="M10 2.500v1.500M10 16v1.500M2.5 10H4M16 10h1.500M4.7 4.700l1 1M14.3 14.300l1 1M15.3 4.700l-1 1M5.7 14.300l-1 1" />
  </Icon>
);
export const CloseIcon = () => (
  <Icon>
    <path d="m5 5 10 10M15 5 5 15" />
  </Icon>
);
export const TargetIcon = () => (
  <Icon>
    <circle cx="10" cy="10" r="5.5" />
    <path d="M10 2v3M10 15v3M2 10h3M15 10h3" />
  </Icon>
);
export const ChevronIcon = () => (
  <Icon>
    <path d="m5.5 12 4.5-4.5 4.5 4.5" />
  </Icon>
);
