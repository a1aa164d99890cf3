package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// honest asks for an address again and again while do runs, and wants each answer to be a whole
// page, 410, or 503 with Retry-After.
func (f *farm) honest(host, path string, do func()) {
	f.t.Helper()
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-stop:
				return
			case <-time.After(10 * time.Millisecond):
				f.oneHonest(host, path)
			}
		}
	}()
	defer func() { close(stop); <-ended }()
	do()
}

// oneHonest asks once, by a connection of its own.
func (f *farm) oneHonest(host, path string) {
	request, err := http.NewRequest("GET", fmt.Sprintf("http://127.0.0.1:%d%s", f.demo.Web.Port, path), nil)
	if err != nil {
		f.t.Error(err)
		return
	}
	request.Host, request.Close = host, true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		f.t.Errorf("%s%s: %v", host, path, err)
		return
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	whole := response.StatusCode == http.StatusOK && strings.Contains(string(body), "</html>")
	closed := response.StatusCode == http.StatusServiceUnavailable && response.Header.Get("Retry-After") != ""
	if err != nil || !whole && !closed && response.StatusCode != http.StatusGone {
		f.t.Errorf("%s%s: %d %v %.200s", host, path, response.StatusCode, err, body)
	}
}
