package process

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
)

// lowest is the lowest process id that may be signalled. To kill(2), 0 is the caller's
// own group, -1 are all processes that the caller may signal (and the id that a failed
// fork returns), and 1 is init.
const lowest = 2

// errPid reports a number that is not the id of a single process.
var errPid = errors.New("not the id of a single process")

// Signal sends a signal to one process. It refuses ids below 2.
func Signal(pid int, signal syscall.Signal) error {
	if pid < lowest {
		return fmt.Errorf("signal process %d: %w", pid, errPid)
	}
	return syscall.Kill(pid, signal)
}

// SignalGroup sends a signal to the process group of that id. It refuses ids below 2.
func SignalGroup(group int, signal syscall.Signal) error {
	if group < lowest {
		return fmt.Errorf("signal process group %d: %w", group, errPid)
	}
	return syscall.Kill(-group, signal)
}

// Runs reports whether the process of that id, of any user, is running. A zombie, which
// its parent has not reaped, is not.
func Runs(pid int) bool {
	if err := Signal(pid, 0); err != nil && !errors.Is(err, syscall.EPERM) {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return !errors.Is(err, fs.ErrNotExist)
	}
	_, state, _ := strings.Cut(string(stat[bytes.LastIndexByte(stat, ')')+1:]), " ") // proc(5)
	return !strings.HasPrefix(state, "Z") && !strings.HasPrefix(state, "X")
}
