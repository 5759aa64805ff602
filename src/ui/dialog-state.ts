// Which dialog is open. One at a time; Dialogs.tsx draws them.

import { create } from 'zustand';

export type DialogName = 'stop' | 'help';

export const useDialog = create<{ readonly open: DialogName | null }>(() => ({ open: null }));

export const openDialog = (open: DialogName): void => useDialog.setState({ open });
export const closeDialog = (): void => useDialog.setState({ open: null });
