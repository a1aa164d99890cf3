// Package fpm speaks FastCGI with php-fpm (FastCGI Specification 1.0).
package fpm

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	"wikictl/tenants"
)

// fpmLimit bounds the time of one request to php-fpm. A pool may have to start its first
// process, or be busy with readers.
const fpmLimit = 20 * time.Second

// mostOutput bounds an answer, in bytes.
const mostOutput = 8 << 20

// Types of records and constants of a request (FastCGI Specification 1.0, section 8).
const (
	fcgiVersion   = 1
	fcgiBegin     = 1
	fcgiEnd       = 3
	fcgiParams    = 4
	fcgiStdin     = 5
	fcgiStdout    = 6
	fcgiStderr    = 7
	fcgiResponder = 1
	fcgiRequest   = 1 // there is one request a connection
)

// fcgiHeader begins every record.
type fcgiHeader struct {
	Version, Type uint8
	Request       uint16
	Length        uint16
	Padding, _    uint8
}

// Run makes php-fpm run a script, and returns its output. address is in the format of
// nginx's fastcgi_pass: "unix:/run/php.sock" or "127.0.0.1:9000".
func Run(ctx context.Context, address, script string) ([]byte, error) {
	out, logged, err := Ask(ctx, address, script, nil)
	if err != nil {
		return nil, err
	}
	return cgiBody(out, logged)
}

// Ask sends php-fpm a request for a script, and returns the answer and the log messages
// of PHP meanwhile. more are parameters besides the required ones.
func Ask(ctx context.Context, address, script string, more [][2]string) (out, logged []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, fpmLimit)
	defer cancel()
	network := "tcp"
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		network, address = "unix", path
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, nil, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if _, err := conn.Write(fcgiAsk(script, more)); err != nil {
		return nil, nil, err
	}
	return fcgiAnswer(bufio.NewReader(conn))
}

// fcgiAsk encodes a request for a script, without a body. The later one of two parameters
// with one name counts.
func fcgiAsk(script string, more [][2]string) []byte {
	var b bytes.Buffer
	fcgiRecord(&b, fcgiBegin, []byte{0, fcgiResponder, 0, 0, 0, 0, 0, 0})
	var params []byte
	for _, p := range append([][2]string{
		{"SCRIPT_FILENAME", script}, {"SCRIPT_NAME", "/"}, {"REQUEST_METHOD", "GET"}, {"REQUEST_URI", "/"}, {"QUERY_STRING", ""},
		{"SERVER_PROTOCOL", "HTTP/1.1"}, {"GATEWAY_INTERFACE", "CGI/1.1"}, {"REDIRECT_STATUS", "200"}, {"REMOTE_ADDR", "127.0.0.1"},
	}, more...) {
		for _, text := range p {
			params = binary.BigEndian.AppendUint32(params, uint32(len(text))|1<<31)
		}
		params = append(params, p[0]+p[1]...)
	}
	fcgiRecord(&b, fcgiParams, params)
	fcgiRecord(&b, fcgiParams, nil)
	fcgiRecord(&b, fcgiStdin, nil)
	return b.Bytes()
}

func fcgiRecord(b *bytes.Buffer, kind uint8, content []byte) {
	_ = binary.Write(b, binary.BigEndian, fcgiHeader{Version: fcgiVersion, Type: kind, Request: fcgiRequest, Length: uint16(len(content))})
	b.Write(content)
}

// fcgiAnswer reads records until the request ends.
func fcgiAnswer(r io.Reader) (out, logged []byte, err error) {
	for {
		var h fcgiHeader
		if err := binary.Read(r, binary.BigEndian, &h); err != nil {
			return nil, nil, fmt.Errorf("it hung up: %w", err)
		}
		content := make([]byte, int(h.Length)+int(h.Padding))
		if _, err := io.ReadFull(r, content); err != nil {
			return nil, nil, fmt.Errorf("it hung up: %w", err)
		}
		content = content[:h.Length]
		switch h.Type {
		case fcgiStdout:
			out = append(out, content...)
		case fcgiStderr:
			logged = append(logged, content...)
		case fcgiEnd:
			return out, logged, nil
		}
		if h.Version != fcgiVersion || len(out)+len(logged) > mostOutput {
			return nil, nil, errors.New("it does not speak FastCGI")
		}
	}
}

// Answer splits a script's output into status, header and body (RFC 3875, section 6).
func Answer(out []byte) (status int, header textproto.MIMEHeader, body []byte, err error) {
	r := bufio.NewReader(bytes.NewReader(out))
	if header, err = textproto.NewReader(r).ReadMIMEHeader(); err != nil {
		return 0, nil, nil, fmt.Errorf("its answer has no header: %q", tenants.Beginning(out))
	}
	status = 200
	if text, _, _ := strings.Cut(header.Get("Status"), " "); text != "" {
		if status, err = strconv.Atoi(text); err != nil {
			return 0, nil, nil, fmt.Errorf("its answer has the status %q", text)
		}
	}
	body, err = io.ReadAll(r)
	return status, header, body, err
}

// cgiBody returns the body of a script's answer (RFC 3875, section 6).
func cgiBody(out, logged []byte) ([]byte, error) {
	status, header, body, err := Answer(out)
	if err == nil && status != 200 {
		return nil, fmt.Errorf("it answers %s: %q", header.Get("Status"), tenants.Beginning(logged))
	}
	return body, err
}
