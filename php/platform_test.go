package php

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"wikictl/cmd/testbed/needs"
	"wikictl/php/fpm"
)

// startFPM runs a php-fpm with one process and returns its address.
func startFPM(t *testing.T, settings string) string {
	t.Helper()
	needs.Program(t, "php")
	fpm := needs.FPM(t)
	dir := t.TempDir()
	socket := filepath.Join(dir, "s")
	conf := fmt.Sprintf("[global]\nerror_log = %[1]s/log\n[www]\nlisten = %[1]s/s\npm = static\npm.max_children = 1\n%[2]s\n", dir, settings)
	if err := os.WriteFile(filepath.Join(dir, "conf"), []byte(conf), 0o644); err != nil {
		t.Fatal(err)
	}
	args := []string{"--nodaemonize", "--fpm-config", filepath.Join(dir, "conf")}
	if os.Geteuid() == 0 {
		args = append(args, "--allow-to-run-as-root") // the folder is root's alone
		if err := os.WriteFile(filepath.Join(dir, "conf"), []byte(conf+"user = root\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(fpm, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
	})
	for range 200 {
		if _, err := os.Stat(socket); err == nil {
			return "unix:" + socket
		}
		time.Sleep(20 * time.Millisecond)
	}
	log, _ := os.ReadFile(filepath.Join(dir, "log"))
	t.Fatalf("php-fpm does not start: %s", log)
	return ""
}

func TestServedPlatform(t *testing.T) {
	address := startFPM(t, "php_admin_value[date.timezone] = Asia/Tokyo\nphp_admin_flag[opcache.enable] = off\n")
	script := filepath.Join(t.TempDir(), "platform.php")
	if _, err := ReadServedPlatform(t.Context(), address, script); !errors.Is(err, errNoScript) {
		t.Errorf("without the script: %v", err)
	}
	if err := os.WriteFile(script, []byte("<?php echo 'another';"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadServedPlatform(t.Context(), address, script); !errors.Is(err, errNoScript) {
		t.Errorf("with another script: %v", err)
	}
	if err := os.WriteFile(script, PlatformScript(), 0o644); err != nil {
		t.Fatal(err)
	}
	served, err := ReadServedPlatform(t.Context(), address, script)
	if err != nil {
		t.Fatal(err)
	}
	own, err := ReadPlatform(t.Context(), needs.Program(t, "php"))
	if err != nil {
		t.Fatal(err)
	}
	if served.Settings["timezone"] != "Asia/Tokyo" || served.OpCache || !slices.Contains(served.Extensions, "cgi-fcgi") {
		t.Errorf("served by %+v", served)
	}
	if served.Version != own.Version || slices.Contains(own.Extensions, "cgi-fcgi") {
		t.Errorf("served by %s, the command line is %+v", served.Version, own)
	}
}

// A script that fails, and an address where nobody answers, are errors.
func TestServedPlatformFails(t *testing.T) {
	address := startFPM(t, "")
	if _, err := fpm.Run(t.Context(), address, "/nowhere.php"); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("no script: %v", err)
	}
	script := filepath.Join(t.TempDir(), "platform.php")
	if err := os.WriteFile(script, PlatformScript(), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadServedPlatform(t.Context(), address+".gone", script); err == nil || !strings.Contains(err.Error(), address+".gone") {
		t.Errorf("nobody there: %v", err)
	}
}
