"""What comes back of mails that were sent: bounces, complaints, and where they are read."""
