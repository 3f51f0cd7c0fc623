package mailbox

import (
	"strings"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-smtp"
)

// What is missing in Microsoft Entra ID or Exchange Online, by the error that
// is seen when it is. The AADSTS numbers are Microsoft's ("Microsoft Entra
// authentication & authorization error codes").
const (
	hintSecret = "the client secret is wrong or has expired: make a new one in Entra ID under Certificates & secrets," +
		" and take its Value, not its Secret ID"
	hintApp       = "this tenant has no application with this client_id: check client_id and tenant under oauth2"
	hintTenant    = "there is no such tenant: check tenant under oauth2"
	hintScope     = "the scope is not one of Exchange Online: leave scopes under oauth2 empty"
	hintIMAPSteps = "the token is good, so a step is missing: give the application the permission IMAP.AccessAsApp" +
		" (Office 365 Exchange Online, application permission) with admin consent;" +
		" register its service principal in Exchange with New-ServicePrincipal and the object id shown under Enterprise applications;" +
		" and check that username is the mailbox's address"
	hintMailbox = "the application was let in, but not into this mailbox:" +
		" Add-MailboxPermission -Identity USERNAME -User SERVICE-PRINCIPAL -AccessRights FullAccess"
	hintSMTPSteps = "the token is good, so a step is missing: give the application the permission SMTP.SendAsApp" +
		" (Office 365 Exchange Online, application permission) with admin consent;" +
		" register its service principal in Exchange with New-ServicePrincipal;" +
		" and let it use the mailbox with Add-MailboxPermission"
	hintSMTPOff = "SMTP AUTH is switched off for the mailbox or the tenant:" +
		" Set-CASMailbox -Identity USERNAME -SmtpClientAuthenticationDisabled $false"
	hintSendAs   = "the login may not send as this address: set mail.from to its own, or give it the right Send As"
	hintSender   = "the server takes no mails from this address: set mail.from to one that it lets this machine or login send as"
	hintTo       = "the server takes no mails for this address: check mail.to, or let this machine or login send there"
	hintPassword = "check username and password; some providers want an app password"
)

// tokenHint reads the token endpoint's error (RFC 6749 section 5.2).
func tokenHint(code, text string) string {
	has := func(numbers ...string) bool {
		for _, n := range numbers {
			if strings.Contains(text, "AADSTS"+n) {
				return true
			}
		}
		return false
	}
	switch {
	case has("700016", "7000112"):
		return hintApp
	case has("90002", "900023", "900021"):
		return hintTenant
	case has("70011", "1002012", "500011"), code == "invalid_scope":
		return hintScope
	case has("7000215", "7000222", "7000218"), code == "invalid_client":
		return hintSecret
	case code == "unauthorized_client":
		return hintApp
	}
	return ""
}

// imapHint says why an IMAP login was refused.
func (l login) imapHint(answer *imap.Error) string {
	switch {
	case notConnected(answer):
		return hintMailbox
	case strings.EqualFold(l.auth, xoauth2Name):
		return hintIMAPSteps
	case answer.Code == imap.ResponseCodePrivacyRequired:
		return mailboxCodes[answer.Code]
	}
	return hintPassword
}

// notConnected tells of Exchange's answer to a login that may not open the
// mailbox: it takes the login, and says so to the commands that follow.
func notConnected(answer *imap.Error) bool {
	return strings.Contains(answer.Text, "User is authenticated but not connected")
}

// smtpHint says what a refusal of the login or of a mail's addresses is about.
func (l login) smtpHint(answer *smtp.SMTPError) string {
	code := answer.EnhancedCode
	switch {
	case code == smtp.EnhancedCode{5, 7, 139} || strings.Contains(answer.Message, "SmtpClientAuthentication is disabled"):
		return hintSMTPOff
	case code == smtp.EnhancedCode{5, 7, 60} || strings.Contains(answer.Message, "SendAsDenied"):
		return hintSendAs
	case answer.Code == 535 && strings.EqualFold(l.auth, xoauth2Name):
		return hintSMTPSteps
	case answer.Code == 535:
		return hintPassword
	case answer.Code == 530:
		return "the server wants a login or encryption first: set username, password and tls"
	case answer.Code == 504 || answer.Code == 534:
		return "the server does not take this way to log in: set auth to another"
	case answer.Code == 432:
		return "too many connections at a time: lower connections"
	case answer.Code == 552 && code[1] == 2:
		return "the mailbox is full: empty it or raise its quota"
	}
	return ""
}
