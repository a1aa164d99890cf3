package mariadb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// client runs a client program of MariaDB's, or of MySQL's where that is what
// is installed. How to connect is in a file that has no name.
func (s *Server) client(ctx context.Context, names []string, in io.Reader, out io.Writer, args ...string) error {
	name := names[0]
	if _, err := exec.LookPath(name); err != nil {
		if _, err := exec.LookPath(names[1]); err == nil {
			name = names[1]
		}
	}
	cmd := exec.CommandContext(ctx, name, append([]string{"--defaults-file=" + optionsPath}, args...)...)
	cmd.Stdin, cmd.Stdout = in, out
	return s.runClient(ctx, cmd)
}

// optionsPath is where a client finds how to connect.
const optionsPath = "/dev/fd/3"

// operators runs a command of [backup] with its placeholders filled in.
func (s *Server) operators(ctx context.Context, command []string, database, file string) error {
	fill := strings.NewReplacer("{database}", database, "{file}", file, "{options}", optionsPath)
	args := make([]string, len(command))
	for i, word := range command {
		args[i] = fill.Replace(word)
	}
	return s.runClient(ctx, exec.CommandContext(ctx, args[0], args[1:]...))
}

// runClient runs a program that is told by a file how to connect, in a process
// group of its own that ends with wikictl.
func (s *Server) runClient(ctx context.Context, cmd *exec.Cmd) error {
	options, err := s.optionFile()
	if err != nil {
		return err
	}
	defer options.Close()
	said := &ending{}
	cmd.Stderr = said
	cmd.ExtraFiles = []*os.File{options}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	if err := runHere(cmd); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return fmt.Errorf("%s: %w: %s", cmd.Path, err, strings.Join(strings.Fields(string(said.text)), " "))
	}
	return nil
}

// optionFile tells a client how to connect ("Configuring MariaDB with Option
// Files" in MariaDB's Knowledge Base).
func (s *Server) optionFile() (*os.File, error) {
	f, err := os.CreateTemp("", "wikictl-*.cnf")
	if err != nil {
		return nil, err
	}
	os.Remove(f.Name())
	quote := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)
	text := "[client]\nuser=\"" + quote.Replace(s.config.User) + "\"\npassword=\"" + quote.Replace(s.config.Passwd) + "\"\n"
	if s.config.Net == "unix" {
		text += "socket=\"" + quote.Replace(s.config.Addr) + "\"\n"
	} else {
		host, port, _ := strings.Cut(s.config.Addr, ":")
		text += "protocol=tcp\nhost=\"" + quote.Replace(host) + "\"\nport=" + port + "\n"
	}
	if _, err := f.WriteString(text); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	_, err = f.Seek(0, io.SeekStart)
	return f, err
}
