package mariadb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/gofrs/flock"

	"wikictl/tenants"
	"wikictl/tenants/definitions"
	"wikictl/tenants/disk"
	"wikictl/tenants/process"
)

// Private is a MariaDB server that wikictl runs for itself: reachable only through its
// socket, by the user that started it, without a password.
type Private struct {
	Folder string // the data is below it
	Socket string
	Sizes  tenants.Sizes // zero: sizes for a small farm
}

// PrivateOf returns the private server of a managed definition.
func PrivateOf(def *tenants.Server, l tenants.Layout) Private {
	return Private{Folder: l.Server(def.Name), Socket: l.Socket(def.Name), Sizes: def.Sizes}
}

func (p Private) data() string    { return filepath.Join(p.Folder, "data") }
func (p Private) tmp() string     { return filepath.Join(p.Folder, "tmp") }
func (p Private) pidFile() string { return filepath.Join(p.Folder, "pid") }

// config returns the connection of the user that started the server.
func (p Private) config() *mysql.Config {
	c := mysql.NewConfig()
	c.Net, c.Addr, c.User = "unix", p.Socket, userName()
	return c
}

func userName() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "root"
}

// Start starts the server unless it runs, and waits until it answers. The server outlives
// this process. Concurrent starts start one server.
func (p Private) Start(ctx context.Context) error {
	running, err := p.Answers(ctx)
	if running {
		return nil
	}
	if errors.As(err, new(*silentError)) { // a second one on the same data would only fail later
		return err
	}
	if len(p.Socket) > tenants.MaxSocket {
		return fmt.Errorf("the socket's path %s is longer than %d bytes; choose a shorter state folder", p.Socket, tenants.MaxSocket)
	}
	for _, dir := range []string{p.Folder, filepath.Dir(p.Socket)} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	lock := flock.New(filepath.Join(p.Folder, "lock"))
	if _, err := lock.TryLockContext(ctx, 50*time.Millisecond); err != nil {
		return fmt.Errorf("wait for another start of the server: %w", err)
	}
	defer lock.Unlock()
	if p.Running(ctx) {
		return nil
	}
	if err := p.makeTmp(); err != nil {
		return err
	}
	if err := p.initialise(ctx); err != nil {
		return err
	}
	return p.launch(ctx)
}

// Running reports whether the server answers.
func (p Private) Running(ctx context.Context) bool {
	running, err := p.Answers(ctx)
	return running && err == nil
}

// Answers reports whether the server runs, even if it refuses the connecting user. The
// error tells why that is unknown, such as fs.ErrPermission.
func (p Private) Answers(ctx context.Context) (bool, error) {
	db, err := p.open()
	if err != nil {
		return false, err
	}
	defer db.Close()
	err = db.PingContext(ctx)
	switch {
	case err == nil, errors.As(err, new(*mysql.MySQLError)):
		return true, nil
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return false, nil
	}
	return false, err
}

func (p Private) open() (*sql.DB, error) {
	config := p.config()
	config.Logger = &mysql.NopLogger{}
	return openPool(config)
}

// initialise creates the data folder under another name and renames it when it is
// complete.
func (p Private) initialise(ctx context.Context) error {
	if _, err := os.Stat(p.data()); err == nil {
		return nil
	}
	half := p.data() + ".half"
	if err := os.RemoveAll(half); err != nil {
		return err
	}
	_, err := process.Run(ctx, process.Program{Name: "mariadb-install-db", Env: process.Inherited(), Args: append([]string{
		"--no-defaults", "--datadir=" + half, "--tmpdir=" + p.tmp(), "--skip-test-db",
		"--auth-root-authentication-method=socket", "--auth-root-socket-user=" + userName(),
	}, p.runAs()...)})
	var failed *process.Error
	if errors.As(err, &failed) {
		return fmt.Errorf("mariadb-install-db: %w: %s", failed.Err, errorLines(failed.Output))
	}
	if err != nil {
		return err
	}
	return os.Rename(half, p.data())
}

// makeTmp creates the server's folder for temporary tables. A starting server removes all
// temporary tables in its folder, even those that another server uses.
func (p Private) makeTmp() error {
	return errors.Join(os.MkdirAll(p.tmp(), 0o777), os.Chmod(p.tmp(), 0o777|os.ModeSticky))
}

// runAs returns the --user option for a server that root starts: Debian's user mysql if
// it owns the folder and the socket's folder, where it could not write otherwise; or else
// root, which mariadbd requires to be explicit.
func (p Private) runAs() []string {
	if os.Geteuid() != 0 {
		return nil
	}
	if u, err := user.Lookup("mysql"); err == nil && owns(u, p.Folder) && owns(u, filepath.Dir(p.Socket)) {
		return []string{"--user=mysql"}
	}
	return []string{"--user=root"}
}

// owns reports whether a user owns a folder.
func owns(u *user.User, folder string) bool {
	info, err := os.Stat(folder)
	if err != nil {
		return false
	}
	owner, known := info.Sys().(*syscall.Stat_t)
	return known && strconv.FormatUint(uint64(owner.Uid), 10) == u.Uid
}

// launch starts mariadbd in its own session and waits until it answers.
func (p Private) launch(ctx context.Context) error {
	if err := fits(p.Sizes, definitions.ThisMachine()); err != nil {
		return err
	}
	logFile := filepath.Join(p.Folder, "error.log")
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
	if err != nil {
		return err
	}
	defer log.Close()
	server, err := process.Start(context.WithoutCancel(ctx), process.Program{
		Name: "mariadbd", Env: process.Inherited(), Args: append(p.options(), p.runAs()...),
		Stdout: log, Stderr: log, Detached: true, Grace: 30 * time.Second,
	})
	if err != nil {
		return err
	}
	for !p.Running(ctx) {
		select {
		case <-server.Ended():
			_, err := server.Wait()
			return fmt.Errorf("%w before it answered (see %s)", err, logFile)
		case <-ctx.Done():
			server.End() // or it would run on unnoticed
			return context.Cause(ctx)
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}

// fits returns an error if the buffer pool exceeds the machine's memory: the kernel would
// kill the server once it used the pool.
func fits(s tenants.Sizes, m tenants.Machine) error {
	if m.Memory > 0 && s.BufferPool > m.Memory {
		return fmt.Errorf("a buffer pool of %d MB does not fit the %d MB of memory (buffer_pool in wikictl.toml)", s.BufferPool>>20, m.Memory>>20)
	}
	return nil
}

// options returns the server's options; it reads no configuration file.
func (p Private) options() []string {
	sizes := p.Sizes
	if sizes == (tenants.Sizes{}) {
		sizes = tenants.Managed(tenants.Machine{}, 0, 1)
	}
	return []string{
		"--no-defaults", "--datadir=" + p.data(), "--tmpdir=" + p.tmp(), "--socket=" + p.Socket, "--pid-file=" + p.pidFile(),
		"--skip-networking", "--skip-name-resolve", "--performance-schema=OFF", SnapshotsOff,
		"--character-set-server=utf8mb4", "--max-allowed-packet=64M",
		fmt.Sprintf("--max-connections=%d", sizes.Connections),
		fmt.Sprintf("--innodb-buffer-pool-size=%d", sizes.BufferPool),
		fmt.Sprintf("--innodb-log-file-size=%d", sizes.RedoLog),
		"--table-definition-cache=20000", "--table-open-cache=8000",
	}
}

// Stop shuts the server down and waits until its process has ended. It succeeds if the
// server does not run.
func (p Private) Stop(ctx context.Context) error {
	db, err := p.open()
	if err != nil {
		return err
	}
	defer db.Close()
	if running, err := p.Answers(ctx); err != nil || !running {
		return err
	}
	pid, err := p.Pid()
	if err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, "SHUTDOWN"); err != nil {
		return fmt.Errorf("shut the server down: %w", err)
	}
	for process.Runs(pid) {
		if err := process.Pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// Pid returns the server's process id.
func (p Private) Pid() (int, error) {
	text, err := disk.Read(p.pidFile())
	if errors.Is(err, fs.ErrNotExist) {
		return 0, errors.New("the server does not run")
	}
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(text)))
}

// errorLines returns the lines of a server program's output that report an error, without
// its advice; all lines if there is none.
func errorLines(out string) string {
	lines := strings.Split(out, "\n")
	failed := slices.DeleteFunc(slices.Clone(lines), func(line string) bool { return !strings.Contains(line, "ERROR") })
	if len(failed) == 0 {
		failed = lines
	}
	return strings.Join(failed, "; ")
}
