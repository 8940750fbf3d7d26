/** Line drawings on a 24-unit square, in the colour of the text around them. */
import type { ComponentChildren } from "preact";

function draw(children: ComponentChildren) {
  return () => (
    <svg
      class="icon"
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width="1.9"
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
    <path d="M11.6 2 4.5 11.2h4.7L8 18l7.5-9.7h-5z" />
  </svg>
);
export const SearchIcon = draw(<path d="M10.5 17a6.5 6.500 0 1 0 0-13 6.500 6.500 0 0 0 0 13zM20 20l-4.800-4.800" />);
export const HomeIcon = draw(<path d="M4 11.500 12 4.500l8 7V19a1 1 0 0 1-1 1h-4.500v-5.500h-5V20H5a1 1 0 0 1-1-1z" />);
export const BagIcon = draw(<path d="M6 8h12l1 12H5zM9 10.500V7a3 3 0 0 1 6 0v3.500" />);
export const ReceiptIcon = draw(
  <path d="M6 3.500h12v17l-2.400-1.500-2.400 1.500-2.400-1.500-2.400 1.500L6 20.500zM9.500 8h5M9.500 12h5" />,
);
export const PersonIcon = draw(
  <>
    <circle cx="12" cy="8.5" r="3.7" />
    <path d="M4.800 20c.8-3.700 3.600-5.500 7.200-5.500s6.400 1.800 7.200 5.500" />
  </>,
);
export const PinIcon = draw(
  <>
    <path d="M12 21c4.500-4.300 6.800-7.800 6.800-10.800A6.800 6.800 0 0 0 5.200 10.200C5.200 13.200 7.500 16.700 12 21z" />
    <circle cx="12" cy="10.2" r="2.4" />
  </>,
);
export const ClockIcon = draw(
  <>
    <circle cx="12" cy="12" r="8" />
    <path d="M12 7.500V12l3 2" />
  </>,
);
export const CloseIcon = draw(<path d="m6 6 12 12M18 6 6 18" />);
export const BackIcon = draw(<path d="M14.500 5.500 8 12l6.500 6.500" />);
export const ForwardIcon = draw(<path d="M9.500 5.500 16 12l-6.500 6.500" />);
export const PlusIcon = draw(<path d="M12 5.500v13M5.500 12h13" />);
export const MinusIcon = draw(<path d="M5.500 12h13" />);
export const CheckIcon = draw(<path d="m5 12.500 4.500 4.500L19 7.500" />);
export const AlertIcon = draw(<path d="M12 4 2.800 19.500h18.400zM12 10v4.200M12 17v.2" />);
export const OfflineIcon = draw(
  <path d="M4 4l16 16M2.500 9.500A14 14 0 0 1 7 6.800M10.500 5.600A14 14 0 0 1 21.500 9.500M6 13.200a9 9 0 0 1 4-2.100M15 11.900a9 9 0 0 1 3 1.600M9.500 16.700a4 4 0 0 1 4.500-.3" />,
);
export const MoonIcon = draw(<path d="M19.500 14.300A8 8 0 0 1 9.700 4.500a8 8 0 1 0 9.800 9.800z" />);
export const SunIcon = draw(
  <>
    <circle cx="12" cy="12" r="4" />
    <path d="M12 3v1.500M12 19.500V21M3 12h1.500M19.500 12H21M5.600 5.600l1.100 1.100M17.300 17.300l1.100 1.100M18.400 5.600l-1.100 1.100M6.700 17.300l-1.100 1.100" />
  </>,
);
export const ScooterIcon = draw(
  <>
    <circle cx="6" cy="17.500" r="2.500" />
    <circle cx="18" cy="17.500" r="2.500" />
    <path d="M8.500 17.500h6.500l1.500-8h-3.500M16 12.500l2 5M3.500 14.500c1-2 3-2.500 5-2.500h3.500" />
  </>,
);
export const StoreIcon = draw(
  <path d="M4.500 10v9.500h15V10M3.500 9.500 5.500 4.500h13l2 5a2.800 2.800 0 0 1-5.600 0 2.800 2.800 0 0 1-5.600 0 2.800 2.800 0 0 1-5.800 0zM10 19.500V15h4v4.500" />,
);
export const StarIcon = draw(
  <path d="m12 4 2.400 5 5.600.700-4.100 3.900 1 5.500L12 16.400l-4.900 2.700 1-5.500L4 9.700 9.600 9z" />,
);
export const StarFilledIcon = () => (
  <svg class="icon" viewBox="0 0 24 24" fill="currentColor" aria-hidden="true">
    <path d="m12 3.200 2.700 5.600 6.100.8-4.500 4.200 1.100 6.100L12 17l-5.400 2.900 1.100-6.100-4.500-4.200 6.100-.8z" />
  </svg>
);
export const ChatIcon = draw(<path d="M4.500 5.500h15v11H11l-4.500 3.500v-3.500h-2z" />);
export const BellIcon = draw(<path d="M6.500 16.500V11a5.500 5.500 0 0 1 11 0v5.500l1.500 1.500H5zM10 20.500h4" />);
export const WalletIcon = draw(
  <path d="M4 7.500h14.500a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1zM4 7.500l11-3.500v3.500M15.500 13.500h4" />,
);
export const RouteIcon = draw(
  <>
    <circle cx="6.500" cy="18" r="2" />
    <circle cx="17.500" cy="6" r="2" />
    <path d="M15.500 6H10a3 3 0 0 0 0 6h4a3 3 0 0 1 0 6H8.500" />
  </>,
);
export const TurnIcon = draw(<path d="M6.500 20v-8a3 3 0 0 1 3-3h8M13.500 5l4 4-4 4" />);
export const PowerIcon = draw(<path d="M12 3.500v8M7 6.500a7.500 7.500 0 1 0 10 0" />);
export const MenuIcon = draw(
  <path d="M7 3.500v6.500M4.500 3.500V8a2.500 2.500 0 0 0 5 0V3.500M7 10.500v10M17.500 20.500v-17c-2.500 1-3.500 4-3.500 6.500 0 2 1 3.500 3.500 3.500" />,
);
export const GearIcon = draw(
  <>
    <circle cx="12" cy="12" r="3" />
    <path d="M12 3.500v2.300M12 18.200v2.300M3.500 12h2.300M18.200 12h2.300M6 6l1.600 1.600M16.400 16.400 18 18M18 6l-1.600 1.600M7.600 16.400 6 18" />
  </>,
);
export const TargetIcon = draw(
  <>
    <circle cx="12" cy="12" r="6.500" />
    <path d="M12 2.500v4M12 17.500v4M2.500 12h4M17.500 12h4" />
  </>,
);
export const FrameIcon = draw(<path d="M4.500 9V4.500H9M15 4.500h4.500V9M19.500 15v4.500H15M9 19.500H4.500V15" />);
export const ExitIcon = draw(<path d="M14 4.500H6v15h8M10.500 12H20M17 8.500l3.500 3.500-3.500 3.500" />);
export const SoundIcon = draw(
  <path d="M4.500 9.500v5h3.500l4.500 4v-13l-4.500 4zM16 9a4.200 4.200 0 0 1 0 6M18.500 6.500a7.800 7.800 0 0 1 0 11" />,
);
export const MuteIcon = draw(<path d="M4.500 9.500v5h3.500l4.500 4v-13l-4.500 4zM16 9.500l5 5M21 9.500l-5 5" />);
export const PeopleIcon = draw(
  <>
    <circle cx="9" cy="8.500" r="3.200" />
    <path d="M3 19c.6-3.200 2.900-4.800 6-4.800s5.400 1.600 6 4.800M16 5.800a3.200 3.200 0 0 1 0 5.500M17.500 14.600c2 .6 3.200 2.100 3.600 4.400" />
  </>,
);
export const MegaphoneIcon = draw(<path d="M4 10v4h3l9 5V5l-9 5zM19 9.500a3.500 3.500 0 0 1 0 5M8 14.500l1.500 5" />);
export const ServerIcon = draw(<path d="M4.500 5h15v6h-15zM4.500 13h15v6h-15zM8 8h.1M8 16h.1" />);
export const PhoneIcon = draw(
  <path d="M6.500 4h3l1.500 4-2 1.500a11 11 0 0 0 5.500 5.500L16 13l4 1.500v3a2 2 0 0 1-2 2A14 14 0 0 1 4.500 6a2 2 0 0 1 2-2z" />,
);
export const TrashIcon = draw(
  <path d="M5 7h14M9.500 7V4.500h5V7M6.500 7l1 12.500h9l1-12.500M10.500 11v5M13.500 11v5" />,
);
export const SendIcon = draw(<path d="M4.500 12 19.500 5l-4.500 14.500-3.500-6zM11.500 13.500 19.500 5" />);
