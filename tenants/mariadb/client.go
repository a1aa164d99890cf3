package mariadb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"wikictl/tenants/process"
)

// client runs a client program of MariaDB, or of MySQL if only that is installed. It
// passes the credentials in an option file on descriptor 3.
func (s *Server) client(ctx context.Context, names []string, in io.Reader, out io.Writer, args ...string) error {
	name := names[0]
	if _, err := process.Find(name); err != nil {
		if _, err := process.Find(names[1]); err == nil {
			name = names[1]
		}
	}
	return s.runClient(ctx, process.Program{Name: name, Args: append([]string{"--defaults-file=" + optionsPath}, args...), Stdin: in, Stdout: out})
}

// optionsPath is the path of the option file for a client.
const optionsPath = "/dev/fd/3"

// operators runs a command of [backup] with its placeholders replaced.
func (s *Server) operators(ctx context.Context, command []string, database, file string) error {
	fill := strings.NewReplacer("{database}", database, "{file}", file, "{options}", optionsPath)
	args := make([]string, len(command))
	for i, word := range command {
		args[i] = fill.Replace(word)
	}
	return s.runClient(ctx, process.Program{Name: args[0], Args: args[1:]})
}

// runClient runs a program with the option file on descriptor 3.
func (s *Server) runClient(ctx context.Context, p process.Program) error {
	options, err := s.optionFile()
	if err != nil {
		return err
	}
	defer options.Close()
	p.Env, p.Files = process.Inherited(), []*os.File{options}
	_, err = process.Run(ctx, p)
	return plainError(err)
}

// optionFile returns a file in memory with the options of a client's connection
// (memfd_create(2)). The password is on no disk, and a full folder for temporary files
// does not stop a restore after it has begun. A client refuses a file that others may
// write, as such a file is at first.
func (s *Server) optionFile() (*os.File, error) {
	fd, err := unix.MemfdCreate("wikictl.cnf", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("options of a client: %w", err)
	}
	f := os.NewFile(uintptr(fd), "wikictl.cnf")
	_, err = f.WriteString(clientOptions(s.config))
	if err := errors.Join(err, f.Chmod(0o600)); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	_, err = f.Seek(0, io.SeekStart)
	return f, err
}
