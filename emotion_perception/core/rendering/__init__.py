"""What people look at: overlays, anonymized images, markers and videos."""
