package definitions

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// CheckDSN returns the mistake in a data source name, "user@protocol(address)/database?parameters",
// without connecting. It is divided as Go-MySQL-Driver divides it: the last slash ends the
// address, which may contain slashes, so that parameters contain none; the last @ before
// the slash ends the account. Definitions do not import the driver; a test of mariadb
// compares the two.
func CheckDSN(dsn string) error {
	slash := strings.LastIndexByte(dsn, '/')
	if slash < 0 {
		return errors.New("lacks the slash after the address")
	}
	before := dsn[:slash]
	protocol, rest, opened := strings.Cut(before[strings.LastIndexByte(before, '@')+1:], "(")
	address, closed := strings.CutSuffix(rest, ")")
	switch {
	case closed && !strings.ContainsAny(address, "()"):
	case strings.ContainsRune(before, '?') && strings.Count(before, "(") == strings.Count(before, ")"):
		return errors.New("has a slash among its parameters, where it is written %2F")
	case opened:
		return errors.New("has a bracket that is not closed")
	default:
		return errors.New("is not a data source name")
	}
	database, parameters, _ := strings.Cut(dsn[slash+1:], "?")
	if _, err := url.PathUnescape(database); err != nil {
		return fmt.Errorf("%q is not a name of a database", database)
	}
	if err := checkAddress(protocol, address); err != nil {
		return err
	}
	for _, parameter := range strings.Split(parameters, "&") {
		key, value, found := strings.Cut(parameter, "=")
		if !found {
			continue
		}
		if err := checkParameter(key, value); err != nil {
			return err
		}
	}
	return nil
}

// checkAddress accepts the path of a socket, or a host with an optional port.
func checkAddress(protocol, address string) error {
	switch protocol {
	case "unix":
		if !strings.HasPrefix(address, "/") {
			return fmt.Errorf("%q is not an absolute path of a socket", address)
		}
		return nil
	case "tcp":
	default:
		return fmt.Errorf("%q is neither tcp nor unix", protocol)
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		host, port = strings.TrimSuffix(strings.TrimPrefix(address, "["), "]"), "3306"
	}
	n, err := strconv.Atoi(port)
	_, notIP := netip.ParseAddr(host)
	switch {
	case err != nil || n < 1 || n > 65535:
		return fmt.Errorf("%q is not a port", port)
	case host == "" || strings.ContainsAny(host, " []/@\t") || strings.Contains(host, ":") && notIP != nil:
		return fmt.Errorf("%q is not a host", host)
	}
	return nil
}

// Parameters that the driver reads itself, by kind; others are variables of the session.
var (
	dsnSwitches = map[string]bool{
		"allowAllFiles": true, "allowCleartextPasswords": true, "allowFallbackToPlaintext": true, "allowNativePasswords": true, "allowOldPasswords": true,
		"checkConnLiveness": true, "clientFoundRows": true, "columnsWithAlias": true, "compress": true, "interpolateParams": true, "multiStatements": true,
		"parseTime": true, "rejectReadOnly": true,
	}
	dsnDurations = map[string]bool{"timeTruncate": true, "readTimeout": true, "timeout": true, "writeTimeout": true}
)

// isSwitch reports whether the driver reads a text as true or false.
func isSwitch(text string) bool {
	switch text {
	case "1", "true", "TRUE", "True", "0", "false", "FALSE", "False":
		return true
	}
	return false
}

func checkParameter(key, value string) error {
	_, escape := url.QueryUnescape(value)
	_, number := strconv.Atoi(value)
	_, duration := time.ParseDuration(value)
	wrong := false
	switch {
	case dsnSwitches[key]:
		wrong = !isSwitch(value)
	case dsnDurations[key]:
		wrong = duration != nil
	case key == "maxAllowedPacket":
		wrong = number != nil
	case key == "loc":
		plain, _ := url.QueryUnescape(value)
		_, unknown := time.LoadLocation(plain)
		wrong = escape != nil || unknown != nil
	case key == "tls":
		lower := strings.ToLower(value)
		if !isSwitch(value) && lower != "skip-verify" && lower != "preferred" && value != "" {
			return fmt.Errorf("%q is not a value of the parameter tls, which takes true, skip-verify, preferred and false; true checks the server's certificate by the authorities of this machine, to which your own can be added", value)
		}
	case key == "serverPubKey":
		wrong = value != ""
	case key == "strict":
		return errors.New("strict is not a parameter any more")
	default:
		wrong = escape != nil
	}
	if wrong {
		return fmt.Errorf("%q is not a value of the parameter %s", value, key)
	}
	return nil
}
