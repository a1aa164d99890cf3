package process

import (
	"errors"
	"fmt"
	"syscall"
)

// lowest is the lowest process id that is signalled. To kill(2) 0 is the caller's own
// group, -1 are all processes that the caller may signal, which is also the id that a
// failed fork returns, and 1 is the one that starts and ends all others.
const lowest = 2

// ErrPid says that a number is no process id that may be signalled.
var ErrPid = errors.New("it is no id of one process")

// Signal sends a signal to one process. It refuses ids below 2.
func Signal(pid int, signal syscall.Signal) error {
	if pid < lowest {
		return fmt.Errorf("signal process %d: %w", pid, ErrPid)
	}
	return syscall.Kill(pid, signal)
}

// SignalGroup sends a signal to the process group of that id. It refuses ids below 2.
func SignalGroup(group int, signal syscall.Signal) error {
	if group < lowest {
		return fmt.Errorf("signal process group %d: %w", group, ErrPid)
	}
	return syscall.Kill(-group, signal)
}

// Runs reports whether there is a process of that id, of any user.
func Runs(pid int) bool {
	err := Signal(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}
