package mariadb

import (
	"os/exec"
	"runtime"
)

// runHere runs a process that dies with the thread that started it (prctl(2),
// PR_SET_PDEATHSIG), and so with wikictl.
func runHere(cmd *exec.Cmd) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return cmd.Run()
}
